//! Small charts: drawn as SVG on this side, each with a title and, for those who do not see, its figures in words.

use maud::{Markup, html};

use super::Reader;
use super::words::Word;
use crate::domain::plain;
use crate::http::view::RunView;

/// How the last runs went: a bar a run, its verdicts on each other. Oldest first.
pub(super) fn verdicts(reader: &Reader, runs: &[RunView]) -> Markup {
    let counts =
        |run: &RunView| ["rows_valid", "rows_invalid", "rows_not_checked"].map(|name| run.count(name));
    let most = runs.iter().map(|run| counts(run).iter().sum::<u64>()).max().unwrap_or_default().max(1) as f64;
    let (bar, gap) = (14.0, 4.0);
    let width = runs.len().max(1) as f64 * (bar + gap);
    html! {
        figure.chart {
            figcaption { (reader.word(Word::ChartVerdicts)) }
            svg viewBox=(format!("0 0 {width} {HEIGHT}")) width=(width) height=(HEIGHT) role="img"
                aria-label=(summary(reader, runs)) {
                @for (n, run) in runs.iter().enumerate() {
                    g {
                        title { (plain::line(&run.job)) ": " (words(reader, run)) }
                        @for (height, y, class) in stack(counts(run), most) {
                            rect x=(n as f64 * (bar + gap)) y=(y) width=(bar) height=(height) class=(class) {}
                        }
                    }
                }
            }
        }
    }
}

const HEIGHT: f64 = 64.0;

/// Heights and places of the parts of a bar, from the bottom.
fn stack(counts: [u64; 3], most: f64) -> Vec<(f64, f64, &'static str)> {
    let mut top = HEIGHT;
    let parts = counts.into_iter().zip(["good", "bad", "fair"]);
    let place = |(count, class)| {
        let height = (count as f64 / most * HEIGHT * 10.0).round() / 10.0;
        top -= height;
        (height, (top * 10.0).round() / 10.0, class)
    };
    parts.map(place).filter(|(height, ..)| *height > 0.0).collect()
}

fn words(reader: &Reader, run: &RunView) -> String {
    let part = |name, word| format!("{} {}", run.count(name), reader.word(word));
    [
        part("rows_valid", Word::Valid),
        part("rows_invalid", Word::Invalid),
        part("rows_not_checked", Word::NotChecked),
    ]
    .join(", ")
}

fn summary(reader: &Reader, runs: &[RunView]) -> String {
    let runs: Vec<String> = runs.iter().map(|run| words(reader, run)).collect();
    format!("{}: {}", reader.word(Word::ChartVerdicts), runs.join("; "))
}

/// A line over the last minutes, with its last and its highest value. Gaps are left out.
pub(super) fn line(title: &str, points: &[Option<f64>]) -> Markup {
    let known: Vec<(usize, f64)> =
        points.iter().enumerate().filter_map(|(n, point)| Some((n, (*point)?))).collect();
    let most = known.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let last = known.last().map_or(0.0, |(_, value)| *value);
    let step = WIDTH / points.len().saturating_sub(1).max(1) as f64;
    let scale = if most > 0.0 { (HEIGHT - 4.0) / most } else { 0.0 };
    let path: Vec<String> = known
        .iter()
        .map(|(n, value)| format!("{:.1},{:.1}", *n as f64 * step, HEIGHT - 2.0 - value * scale))
        .collect();
    html! {
        figure.chart {
            figcaption { (title) ": " b { (format!("{last:.1}")) } " (max " (format!("{most:.1}")) ")" }
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) width=(WIDTH) height=(HEIGHT) role="img"
                aria-label=(format!("{title}: {last:.1}, max {most:.1}")) {
                polyline points=(path.join(" ")) fill="none" class="line" {}
            }
        }
    }
}

const WIDTH: f64 = 300.0;
