//! Faults in words, for the command line: which requests, and what happens to them.
//!
//! ```text
//! fault    = kind [":" numbers] "=" what ["for" time]
//! kind     = "read" | "write" | "token" | "chat" | "any"
//! numbers  = 2        the second request of the kind
//!          | 2..4     the second to the fourth, both included
//!          | 2..      from the second on
//!          | 20%      so many of them, by chance
//!                     without numbers: every one
//! what     = reset                 the connection is dropped, nothing is done
//!          | commit-then-reset     it is carried out, then the connection is dropped
//!          | hang                  nothing is done, nobody answers
//!          | commit-then-hang      it is carried out, nobody answers
//!          | cut                   it is carried out, the answer breaks off
//!          | late TIME             the connection is dropped; it is carried out after that time
//!          | slow TIME             it is carried out, the answer comes after that time
//!          | STATUS                an error of that HTTP status, nothing is done
//!          | commit-then-STATUS    it is carried out, then answered with that error
//!          | html STATUS           the same, as a front end tells it: HTML, nothing is done
//!          | ok                    nothing goes wrong
//!          | drip TIME             of a model: the answer comes byte by byte, one after each TIME
//!          | stall                 of a model: the answer stops in its middle, the connection stays
//!          | TROUBLE               of a model: a way in which its answer is wrong, such as rate-limit or broken
//!          | mix                   of a model: one of those that pass, by chance
//! time     = 500ms | 90s | 2m | 1h
//! ```
//!
//! `read` and `write` are requests to Sheets and Drive, `token` is signing in, `chat` is the model. With `for TIME`
//! a fault is over so long after it first struck. Of several faults the first that is meant decides: `write:3=ok`
//! before `write=503` spares the third write.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

use super::fault::{Arrival, Door, Fault, Script};
use super::model::{PASSING, WORDS};
use super::sheets::Office;

/// A fault in words, such as `write:2=commit-then-reset` or `read:3..=429 for 60s`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSpec {
    /// The kind of request; none for every kind.
    pub door: Option<Door>,
    /// Which requests of the kind, counted from 1.
    pub numbers: RangeInclusive<u64>,
    /// How many of these, by chance, in hundredths: 1 to 100.
    pub share: u8,
    /// What happens to them.
    pub fault: Fault,
    /// How long it goes on after it first struck; none for always.
    pub lasts: Option<Duration>,
}

/// Words that are no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("«{part}» {problem}")]
pub struct SpecError {
    /// The words in question.
    pub part: String,
    /// What is wrong with them, and what would be right.
    pub problem: &'static str,
}

/// A script of faults in words. The first one that is meant decides about a request.
#[derive(Clone, Debug, Default)]
pub struct FaultScript {
    faults: Vec<Armed>,
    seed: u64,
}

#[derive(Clone, Debug)]
struct Armed {
    spec: FaultSpec,
    /// When it first struck.
    struck: Option<Duration>,
}

/// Reads a time such as `500ms`, `90s`, `2m` or `1h`.
///
/// # Errors
/// If it is none, or below zero.
pub fn time(text: &str) -> Result<Duration, SpecError> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    parsed.ok_or_else(|| SpecError::new(text, "is no time: write 500ms, 90s, 2m or 1h"))
}

impl FaultScript {
    /// A script of these faults.
    pub fn new(faults: impl IntoIterator<Item = FaultSpec>) -> Self {
        Self { faults: faults.into_iter().map(|spec| Armed { spec, struck: None }).collect(), seed: 1 }
    }

    /// The same with another chance.
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// What happens to a request.
    pub(super) fn strike(&mut self, arrival: &Arrival) -> Fault {
        let chance = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ arrival.number;
        let mut random = fastrand::Rng::with_seed(chance);
        let decided = self.faults.iter_mut().find_map(|armed| armed.decide(arrival, &mut random));
        match decided {
            Some(Fault::Mix) => mixed(&mut random),
            decided => decided.unwrap_or(Fault::None),
        }
    }
}

/// One of the faults that pass.
fn mixed(random: &mut fastrand::Rng) -> Fault {
    let others = [
        Fault::ResetBeforeCommit,
        Fault::CommitThenReset,
        Fault::CommitThenCut,
        Fault::Hang,
        Fault::Stall,
        Fault::Drip(Duration::from_secs(1)),
        Fault::Html(502),
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(504),
    ];
    let nth = random.usize(..others.len() + PASSING.len());
    let trouble = || PASSING.get(nth.saturating_sub(others.len())).copied().map(Fault::Trouble);
    others.get(nth).cloned().or_else(trouble).unwrap_or(Fault::None)
}

impl Script for FaultScript {
    fn decide(&mut self, arrival: &Arrival, _: &mut Office) -> Fault {
        self.strike(arrival)
    }
}

impl Armed {
    fn decide(&mut self, arrival: &Arrival, random: &mut fastrand::Rng) -> Option<Fault> {
        let FaultSpec { door, numbers, share, fault, lasts } = &self.spec;
        let number = if door.is_some() { arrival.of_door } else { arrival.number };
        if door.is_some_and(|door| door != arrival.door) || !numbers.contains(&number) {
            return None;
        }
        if *share < 100 && random.u8(..100) >= *share {
            return None;
        }
        let struck = *self.struck.get_or_insert(arrival.at);
        let is_over = lasts.is_some_and(|lasts| arrival.at.saturating_sub(struck) >= lasts);
        (!is_over).then(|| fault.clone())
    }
}

impl SpecError {
    pub(super) fn new(part: &str, problem: &'static str) -> Self {
        Self { part: part.to_owned(), problem }
    }
}

impl FromStr for FaultSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        // What happens never has an `=` in it.
        let Some((which, what)) = text.rsplit_once('=') else {
            return Err(SpecError::new(
                text,
                "lacks an «=»: write WHICH=WHAT, such as write:2=commit-then-reset",
            ));
        };
        let (door, numbers) = which.split_once(':').map_or((which, None), |(door, nth)| (door, Some(nth)));
        let (fault, lasts) =
            what.split_once(" for ").map_or((what, None), |(what, lasts)| (what, Some(lasts)));
        let door = kind(door.trim())?;
        let (numbers, share) = numbers.map_or(Ok((1..=u64::MAX, 100)), |numbers| which_of(numbers.trim()))?;
        let of_model = fault.trim();
        let fault = fault_of(of_model)?;
        if fault.is_of_model() && door != Some(Door::Chat) {
            return Err(SpecError::new(of_model, "happens to a model's answers only: write chat=…"));
        }
        Ok(Self { door, numbers, share, fault, lasts: lasts.map(|lasts| time(lasts.trim())).transpose()? })
    }
}

/// The kinds of requests and their words.
const KINDS: [(&str, Option<Door>); 5] = [
    ("read", Some(Door::Read)),
    ("write", Some(Door::Write)),
    ("token", Some(Door::Token)),
    ("chat", Some(Door::Chat)),
    ("any", None),
];

fn kind(word: &str) -> Result<Option<Door>, SpecError> {
    let found = KINDS.iter().find(|(name, _)| *name == word).map(|(_, door)| *door);
    found.ok_or_else(|| {
        SpecError::new(word, "is no kind of request: there are read, write, token, chat and any")
    })
}

/// Which requests, and how many of these.
fn which_of(text: &str) -> Result<(RangeInclusive<u64>, u8), SpecError> {
    let Some(share) = text.strip_suffix('%') else { return Ok((range(text)?, 100)) };
    let share = share.trim().parse().ok().filter(|share| (1..=100).contains(share));
    share
        .map(|share| (1..=u64::MAX, share))
        .ok_or_else(|| SpecError::new(text, "is no share of the requests: write 1% to 100%"))
}

fn range(text: &str) -> Result<RangeInclusive<u64>, SpecError> {
    const WRONG: &str =
        "names no requests: write 2, 2..4 (both included), 2.. or 20%; they are counted from 1";
    let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
    let read = match text.split_once("..") {
        None => number(text).map(|nth| nth..=nth),
        Some((from, "")) => number(from).map(|from| from..=u64::MAX),
        Some((from, to)) => number(from).zip(number(to)).map(|(from, to)| from..=to),
    };
    read.filter(|numbers| !numbers.is_empty()).ok_or_else(|| SpecError::new(text, WRONG))
}

fn fault_of(text: &str) -> Result<Fault, SpecError> {
    const WRONG: &str = "is nothing that happens: write reset, hang, cut, commit-then-reset, commit-then-hang, \
                         late 90s, slow 3s, 503, commit-then-503, html 502 or ok; of a model also drip 1s, stall, \
                         mix, or a trouble such as rate-limit or broken";
    let (word, more) = text.split_once(' ').map_or((text, None), |(word, more)| (word, Some(more.trim())));
    Ok(match (word, more) {
        ("ok", None) => Fault::None,
        ("reset", None) => Fault::ResetBeforeCommit,
        ("commit-then-reset", None) => Fault::CommitThenReset,
        ("hang", None) => Fault::Hang,
        ("commit-then-hang", None) => Fault::CommitThenHang,
        ("cut" | "commit-then-cut", None) => Fault::CommitThenCut,
        ("late", Some(after)) => Fault::LateCommit(time(after)?),
        ("slow", Some(after)) => Fault::Slow(time(after)?),
        ("html", Some(code)) => Fault::Html(status(code)?),
        ("drip", Some(every)) => Fault::Drip(time(every)?),
        ("stall", None) => Fault::Stall,
        ("mix", None) => Fault::Mix,
        ("late" | "slow" | "drip", None) => {
            return Err(SpecError::new(word, "lacks its time: write it as late 90s or slow 3s"));
        }
        ("html", None) => return Err(SpecError::new(word, "lacks its status: write it as html 502")),
        (word, None) => match word.strip_prefix("commit-then-") {
            Some(code) if is_number(code) => Fault::CommitThenStatus(status(code)?),
            None if is_number(word) => Fault::Status(status(word)?),
            _ => {
                let found = WORDS.iter().find(|(name, _)| *name == word);
                let (_, trouble) = found.ok_or_else(|| SpecError::new(text, WRONG))?;
                Fault::Trouble(*trouble)
            }
        },
        _ => return Err(SpecError::new(text, WRONG)),
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn status(text: &str) -> Result<u16, SpecError> {
    let code = text.parse().ok().filter(|code| (400..600).contains(code));
    code.ok_or_else(|| SpecError::new(text, "is no HTTP status of an error: write one from 400 to 599"))
}

impl fmt::Display for FaultSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = KINDS.iter().find(|(_, door)| *door == self.door).map_or("any", |(word, _)| word);
        f.write_str(word)?;
        match (*self.numbers.start(), *self.numbers.end()) {
            (1, u64::MAX) => {}
            (from, u64::MAX) => write!(f, ":{from}..")?,
            (from, to) if from == to => write!(f, ":{from}")?,
            (from, to) => write!(f, ":{from}..{to}")?,
        }
        if self.share < 100 {
            write!(f, ":{}%", self.share)?;
        }
        match &self.fault {
            Fault::None => write!(f, "=ok"),
            Fault::ResetBeforeCommit => write!(f, "=reset"),
            Fault::CommitThenReset => write!(f, "=commit-then-reset"),
            Fault::Hang => write!(f, "=hang"),
            Fault::CommitThenHang => write!(f, "=commit-then-hang"),
            Fault::LateCommit(after) => write!(f, "=late {}", words(*after)),
            Fault::Status(code) => write!(f, "={code}"),
            Fault::CommitThenStatus(code) => write!(f, "=commit-then-{code}"),
            Fault::Html(code) => write!(f, "=html {code}"),
            // A program's own answer; it has no words that could be read again.
            Fault::Answer { status, .. } => write!(f, "=answer {status}"),
            Fault::CommitThenCut => write!(f, "=cut"),
            Fault::Slow(after) => write!(f, "=slow {}", words(*after)),
            Fault::Drip(every) => write!(f, "=drip {}", words(*every)),
            Fault::Stall => write!(f, "=stall"),
            Fault::Trouble(trouble) => write!(f, "={trouble}"),
            Fault::Mix => write!(f, "=mix"),
        }?;
        self.lasts.map_or(Ok(()), |lasts| write!(f, " for {}", words(lasts)))
    }
}

/// A time as [`time`] reads it.
fn words(time: Duration) -> String {
    format!("{:#}", SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> FaultSpec {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_fault_has_its_words_and_they_mean_it_again() {
        let seconds = Duration::from_secs;
        for (text, fault) in [
            ("write:2=ok", Fault::None),
            ("write:2=reset", Fault::ResetBeforeCommit),
            ("write:2=commit-then-reset", Fault::CommitThenReset),
            ("write:2=hang", Fault::Hang),
            ("write:2=commit-then-hang", Fault::CommitThenHang),
            ("write:2=late 1m 30s", Fault::LateCommit(seconds(90))),
            ("write:2=503", Fault::Status(503)),
            ("write:2=commit-then-503", Fault::CommitThenStatus(503)),
            ("write:2=html 502", Fault::Html(502)),
            ("write:2=cut", Fault::CommitThenCut),
            ("write:2=slow 3s", Fault::Slow(seconds(3))),
        ] {
            let read = spec(text);
            assert_eq!(
                read,
                FaultSpec { door: Some(Door::Write), numbers: 2..=2, share: 100, fault, lasts: None }
            );
            assert_eq!(read.to_string(), text);
        }
        assert_eq!(spec("write:5=late 90s"), spec(" write:5 = late  90s "));
        assert_eq!(spec("chat=slow 500ms").fault, Fault::Slow(Duration::from_millis(500)));
        let of_model =
            WORDS.iter().map(|(word, trouble)| (format!("chat:20%={word}"), Fault::Trouble(*trouble)));
        let others = [("drip 1s", Fault::Drip(seconds(1))), ("stall", Fault::Stall), ("mix", Fault::Mix)];
        let others = others.into_iter().map(|(words, fault)| (format!("chat:20%={words}"), fault));
        for (text, fault) in of_model.chain(others) {
            let read = spec(&text);
            assert_eq!((read.share, &read.fault, read.to_string()), (20, &fault, text));
        }
    }

    #[test]
    fn a_share_is_by_chance_and_a_mixture_has_all_that_pass() {
        let mut script = FaultScript::new([spec("chat:20%=mix")]).seeded(5);
        let mut strike = |number| {
            script.strike(&Arrival {
                door: Door::Chat,
                number,
                of_door: number,
                at: Duration::ZERO,
                method: "POST".into(),
                path: "/".into(),
                query: Vec::new(),
                body: None,
            })
        };
        let struck: Vec<Fault> = (1..=5000).map(&mut strike).filter(|fault| *fault != Fault::None).collect();
        assert!((900..=1100).contains(&struck.len()), "{}", struck.len());
        for trouble in PASSING {
            assert!(struck.contains(&Fault::Trouble(trouble)), "{trouble}");
        }
        assert!(struck.contains(&Fault::Hang) && struck.contains(&Fault::Stall));
        let again: Vec<Fault> = (1..=5000).map(strike).filter(|fault| *fault != Fault::None).collect();
        assert!(struck == again, "the same seed, the same chance");
    }

    #[test]
    fn requests_are_named_by_kind_and_number() {
        for (text, door, numbers) in [
            ("read:3..=429 for 1m", Some(Door::Read), 3..=u64::MAX),
            ("token:1=reset", Some(Door::Token), 1..=1),
            ("chat:1..3=503", Some(Door::Chat), 1..=3),
            ("any=500", None, 1..=u64::MAX),
            ("any:7=500", None, 7..=7),
        ] {
            let read = spec(text);
            assert_eq!((read.door, &read.numbers, read.to_string().as_str()), (door, &numbers, text));
        }
        assert_eq!(spec("read:3..=429 for 60s").lasts, Some(Duration::from_secs(60)));
    }

    #[test]
    fn what_is_no_fault_is_named_and_so_is_what_would_be_right() {
        for (text, part, hint) in [
            ("write:2", "«write:2»", "WHICH=WHAT"),
            ("wrote:2=503", "«wrote»", "read, write, token"),
            ("=503", "«»", "kind"),
            ("write:0=503", "«0»", "counted from 1"),
            ("write:4..2=503", "«4..2»", "2..4"),
            ("write:1..=3=503", "«1..=3»", "both included"),
            ("write:-1=503", "«-1»", "2.."),
            ("write:1=200", "«200»", "400 to 599"),
            ("write:1=commit-then-99999", "«99999»", "400 to 599"),
            ("write:1=html", "«html»", "html 502"),
            ("write:1=late", "«late»", "late 90s"),
            ("write:1=late soon", "«soon»", "90s"),
            ("write:1=slow -3s", "«-3s»", "90s"),
            ("write:1=explode", "«explode»", "commit-then-reset"),
            ("write:1=commit-then-", "«commit-then-»", "commit-then-reset"),
            ("write:1=reset now", "«reset now»", "commit-then-reset"),
            ("write:1=503 for a while", "«a while»", "90s"),
            ("write:1=", "«»", "reset"),
            ("write=broken", "«broken»", "chat=…"),
            ("any=mix", "«mix»", "chat=…"),
            ("chat:0%=mix", "«0%»", "1% to 100%"),
            ("chat=drip", "«drip»", "slow 3s"),
        ] {
            let told = text.parse::<FaultSpec>().unwrap_err().to_string();
            assert!(told.contains(part) && told.contains(hint), "{text}: {told}");
        }
    }

    #[test]
    fn the_first_fault_that_is_meant_decides() {
        let mut script =
            FaultScript::new(["write:3=ok", "write:2..=503", "any:9=reset", "chat=429 for 60s"].map(spec));
        let mut office = Office::new(1);
        let mut decide = |door, number, of_door, seconds| {
            let arrival = Arrival {
                door,
                number,
                of_door,
                at: Duration::from_secs(seconds),
                method: "GET".into(),
                path: "/".into(),
                query: Vec::new(),
                body: None,
            };
            script.decide(&arrival, &mut office)
        };
        assert_eq!(decide(Door::Write, 1, 1, 0), Fault::None);
        assert_eq!(decide(Door::Write, 2, 2, 0), Fault::Status(503));
        assert_eq!(decide(Door::Write, 3, 3, 0), Fault::None);
        assert_eq!(decide(Door::Read, 4, 1, 0), Fault::None);
        assert_eq!(decide(Door::Chat, 5, 1, 100), Fault::Status(429));
        assert_eq!(decide(Door::Chat, 6, 2, 159), Fault::Status(429));
        assert_eq!(decide(Door::Chat, 7, 3, 160), Fault::None, "it is over");
        assert_eq!(decide(Door::Chat, 9, 4, 161), Fault::ResetBeforeCommit);
    }
}
