//! Small charts: drawn as SVG on this side, each with a title and, for those who do not see, its figures in words.

use maud::{Markup, html};
use serde::Serialize;

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

/// A line over the last minutes. Gaps are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(in crate::http) struct Curve {
    /// As an SVG polyline has them.
    points: String,
    last: String,
    most: String,
}

impl Curve {
    /// Of these values, oldest first: at most so many as can be told apart.
    pub(in crate::http) fn of(values: &[Option<f64>]) -> Self {
        let size = values.len().div_ceil(CORNERS).max(1);
        let mean = |part: &[Option<f64>]| {
            let known: Vec<f64> = part.iter().flatten().copied().collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        };
        let values: Vec<Option<f64>> = values.chunks(size).map(mean).collect();
        let known = || values.iter().enumerate().filter_map(|(n, value)| Some((n, (*value)?)));
        let most = known().map(|(_, value)| value).fold(0.0, f64::max);
        let last = known().next_back().map_or(0.0, |(_, value)| value);
        let step = WIDTH / values.len().saturating_sub(1).max(1) as f64;
        let scale = if most > 0.0 { (HEIGHT - 4.0) / most } else { 0.0 };
        let corner =
            |(n, value): (usize, f64)| format!("{:.1},{:.1}", n as f64 * step, HEIGHT - 2.0 - value * scale);
        let points: Vec<String> = known().map(corner).collect();
        Self { points: points.join(" "), last: format!("{last:.1}"), most: format!("{most:.1}") }
    }
}

/// Draws a curve; the script finds it by its name.
pub(super) fn line(title: &str, name: &str, Curve { points, last, most }: &Curve) -> Markup {
    html! {
        figure.chart data-curve=(name) {
            figcaption { (title) ": " b { (last) } " (max " span { (most) } ")" }
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) width=(WIDTH) height=(HEIGHT) aria-hidden="true" {
                polyline points=(points) fill="none" class="line" {}
            }
        }
    }
}

const WIDTH: f64 = 300.0;
/// A line has at most so many corners.
const CORNERS: usize = 60;
