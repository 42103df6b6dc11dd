//! Charts, drawn as SVG on the server in whole numbers.

use askama::Template;
use askama::filters::Safe;

use super::show::count;

/// A part of a column.
pub(crate) struct Part {
    pub(crate) class: &'static str,
    pub(crate) y: i64,
    pub(crate) height: i64,
    pub(crate) title: String,
}

/// A column of stacked parts.
pub(crate) struct Column {
    pub(crate) x: i64,
    pub(crate) middle: i64,
    pub(crate) label: String,
    pub(crate) value: String,
    pub(crate) value_y: i64,
    pub(crate) parts: Vec<Part>,
}

/// A line across with its figure.
pub(crate) struct Rule {
    pub(crate) y: i64,
    pub(crate) label: String,
}

/// What a kind of part stands for.
pub(crate) struct Key {
    pub(crate) class: &'static str,
    pub(crate) name: String,
}

/// Columns of stacked parts over a scale.
#[derive(Template)]
#[template(path = "chart_columns.html")]
pub(crate) struct ColumnsDrawing {
    pub(crate) name: String,
    pub(crate) width: i64,
    pub(crate) height: i64,
    pub(crate) base: i64,
    pub(crate) left: i64,
    pub(crate) bar: i64,
    pub(crate) columns: Vec<Column>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) legend: Vec<Key>,
}
/// Columns as finished markup.
pub(crate) type Columns = Safe<ColumnsDrawing>;

/// What a column is drawn from.
pub(crate) struct Stack {
    /// Under the column; may be empty.
    pub(crate) label: String,
    /// What a part's title begins with.
    pub(crate) name: String,
    /// Above the column; may be empty.
    pub(crate) value: String,
    /// From the bottom up; below zero counts as nothing.
    pub(crate) parts: Vec<i64>,
}

const LEFT: i64 = 52;
const TOP: i64 = 22;
const BOTTOM: i64 = 26;

/// Draws columns. `classes` are those of the parts, from the bottom up; `said` makes a figure readable.
pub(crate) fn columns(
    name: &str,
    (width, height): (i64, i64),
    classes: &[(&'static str, &str)],
    stacks: Vec<Stack>,
    said: impl Fn(i64) -> String,
) -> Columns {
    let most = stacks
        .iter()
        .map(|stack| {
            stack
                .parts
                .iter()
                .fold(0_i64, |sum, part| sum.saturating_add((*part).max(0)))
        })
        .max()
        .unwrap_or(0);
    let (step, top) = scale(most);
    let base = height - BOTTOM;
    let tall = base - TOP;
    let up = |value: i64| scaled(value, top, tall);
    let pitch = (width - LEFT - 8) / i64::try_from(stacks.len().max(1)).unwrap_or(1);
    let bar = (pitch * 62 / 100).clamp(3, 74);
    let mut drawn = Vec::with_capacity(stacks.len());
    for (place, stack) in (0_i64..).zip(stacks) {
        let x = LEFT + place * pitch + (pitch - bar) / 2;
        let mut sum = 0_i64;
        let mut parts = Vec::new();
        for (value, (class, key)) in stack.parts.iter().zip(classes) {
            let from = up(sum);
            sum = sum.saturating_add((*value).max(0));
            let to = if *value > 0 {
                up(sum).max(from + 2)
            } else {
                from
            };
            if to > from {
                parts.push(Part {
                    class,
                    y: base - to,
                    height: to - from,
                    title: format!("{}: {} {}", stack.name, said(*value), key),
                });
            }
        }
        drawn.push(Column {
            x,
            middle: x + bar / 2,
            label: stack.label,
            value: stack.value,
            value_y: base - up(sum) - 7,
            parts,
        });
    }
    let rules = (0..=top / step)
        .map(|n| Rule {
            y: base - up(n * step),
            label: said(n * step),
        })
        .collect();
    let legend = classes
        .iter()
        .filter(|(_, key)| !key.is_empty())
        .map(|(class, key)| Key {
            class,
            name: (*key).to_owned(),
        })
        .collect();
    Safe(ColumnsDrawing {
        name: name.to_owned(),
        width,
        height,
        base,
        left: LEFT,
        bar,
        columns: drawn,
        rules,
        legend,
    })
}

/// `value` of `top` on a length of `tall`, in whole units.
fn scaled(value: i64, top: i64, tall: i64) -> i64 {
    if top <= 0 {
        return 0;
    }
    let exact = i128::from(value) * i128::from(tall) / i128::from(top);
    i64::try_from(exact).unwrap_or(tall)
}

/// The step between rules, 1, 2 or 5 times a power of ten, and the top of the scale: at most five steps.
fn scale(most: i64) -> (i64, i64) {
    let mut step = 1_i64;
    for factor in [2, 5, 10].into_iter().cycle() {
        if most <= step.saturating_mul(4) {
            break;
        }
        let decade = decade_of(step);
        step = decade.saturating_mul(factor);
    }
    let steps = most.saturating_add(step - 1) / step;
    (step, steps.max(1).saturating_mul(step))
}

/// The power of ten at or below.
fn decade_of(step: i64) -> i64 {
    let mut decade = 1_i64;
    while decade.saturating_mul(10) <= step {
        decade = decade.saturating_mul(10);
    }
    decade
}

/// A figure in short: 950, 12k, 3.4M. For the scale beside a chart.
pub(crate) fn short(value: i64) -> String {
    match value {
        0..=9_999 => count(value),
        10_000..=999_999 => format!("{}k", count(value / 1_000)),
        _ => {
            let tenths = value / 100_000;
            if tenths % 10 == 0 {
                format!("{}M", count(tenths / 10))
            } else {
                format!("{}.{}M", count(tenths / 10), tenths % 10)
            }
        }
    }
}

/// A part of a bar lying on its side.
pub(crate) struct Slice {
    pub(crate) class: &'static str,
    pub(crate) x: i64,
    pub(crate) width: i64,
}

/// A bar of parts of a whole, drawn 1,000 wide.
#[derive(Template)]
#[template(path = "chart_bar.html")]
pub(crate) struct BarDrawing {
    pub(crate) title: String,
    pub(crate) slices: Vec<Slice>,
}
/// A bar as finished markup.
pub(crate) type Bar = Safe<BarDrawing>;

/// A bar of parts of `whole`.
pub(crate) fn bar(title: impl Into<String>, whole: i64, parts: &[(&'static str, i64)]) -> Bar {
    let mut x = 0;
    let slices = parts
        .iter()
        .map(|(class, value)| {
            let width = scaled((*value).clamp(0, whole.max(0)), whole, 1_000);
            let width = if *value > 0 && whole > 0 {
                width.max(8)
            } else {
                width
            };
            let slice = Slice {
                class,
                x,
                width: width.min(1_000 - x),
            };
            x += slice.width;
            slice
        })
        .collect();
    Safe(BarDrawing {
        title: title.into(),
        slices,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_holds_the_most_in_few_round_steps() {
        for (most, step, top) in [
            (0, 1, 1),
            (3, 1, 3),
            (4, 1, 4),
            (7, 2, 8),
            (17, 5, 20),
            (41, 20, 60),
            (999, 500, 1_000),
            (123_456, 50_000, 150_000),
        ] {
            assert_eq!(scale(most), (step, top), "{most}");
        }
        let (step, top) = scale(i64::MAX);
        assert!(step > 0 && top > 0);
    }

    #[test]
    fn parts_of_a_bar_stay_within_it() {
        let bar = bar("x", 10, &[("a", 7), ("b", 7), ("c", 0)]);
        let end: i64 = bar.0.slices.iter().map(|slice| slice.width).sum();
        assert_eq!(end, 1_000);
        assert_eq!(bar.0.slices[2].width, 0);
    }

    #[test]
    fn figures_are_said_in_short() {
        for (value, said) in [
            (950, "950"),
            (12_000, "12k"),
            (3_400_000, "3.4M"),
            (2_000_000, "2M"),
        ] {
            assert_eq!(short(value), said);
        }
    }
}
