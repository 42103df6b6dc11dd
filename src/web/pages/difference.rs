//! What differs between two texts, line by line.

/// Lines around a difference that are shown with it.
const AROUND: usize = 2;
/// Texts with more lines than this are not compared: the comparison takes lines × lines.
const LINES_MAX: usize = 1_500;

/// The lines of both texts that differ, with a few around them: `gone`, `come` or `same`, and the line. Empty where
/// nothing differs.
pub(crate) fn lines(before: &str, after: &str) -> Vec<(&'static str, String)> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    if old == new {
        return Vec::new();
    }
    if old.len() > LINES_MAX || new.len() > LINES_MAX {
        return vec![(
            "same",
            format!(
                "The texts have {} and {} lines: too many to compare here.",
                old.len(),
                new.len()
            ),
        )];
    }
    let all = compared(&old, &new);
    let near = |place: usize| {
        let from = place.saturating_sub(AROUND);
        all.iter()
            .skip(from)
            .take(place - from + AROUND + 1)
            .any(|(kind, _)| *kind != "same")
    };
    let mut out = Vec::new();
    let mut gap = false;
    for (place, (kind, line)) in all.iter().enumerate() {
        if near(place) {
            if gap && !out.is_empty() {
                out.push(("same", "⋯".to_owned()));
            }
            gap = false;
            out.push((*kind, (*line).to_owned()));
        } else {
            gap = true;
        }
    }
    out
}

/// Both texts as one, by their longest common part.
fn compared<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(&'static str, &'a str)> {
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    let at = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for (i, left) in old.iter().enumerate().rev() {
        for (j, right) in new.iter().enumerate().rev() {
            let length = if left == right {
                at(&common, i + 1, j + 1) + 1
            } else {
                at(&common, i + 1, j).max(at(&common, i, j + 1))
            };
            if let Some(cell) = common.get_mut(i * width + j) {
                *cell = length;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::with_capacity(old.len() + new.len());
    loop {
        match (old.get(i), new.get(j)) {
            (Some(left), Some(right)) if left == right => {
                out.push(("same", *left));
                i += 1;
                j += 1;
            }
            (Some(left), Some(_)) if at(&common, i + 1, j) >= at(&common, i, j + 1) => {
                out.push(("gone", *left));
                i += 1;
            }
            (_, Some(right)) => {
                out.push(("come", *right));
                j += 1;
            }
            (Some(left), None) => {
                out.push(("gone", *left));
                i += 1;
            }
            (None, None) => return out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown_with_its_neighbours() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh";
        let after = "a\nb\nc\nD\ne\nf\ng\nh";
        let shown: Vec<String> = lines(before, after)
            .into_iter()
            .map(|(kind, line)| format!("{kind} {line}"))
            .collect();
        assert_eq!(
            shown,
            ["same b", "same c", "gone d", "come D", "same e", "same f"]
        );
        assert!(lines(before, before).is_empty());
    }

    #[test]
    fn every_line_of_both_texts_is_in_the_comparison() {
        for (before, after) in [("", "a"), ("a", ""), ("a\nb", "b\na"), ("x\ny\nz", "x\nz")] {
            let all = compared(
                &before.lines().collect::<Vec<_>>(),
                &after.lines().collect::<Vec<_>>(),
            );
            let side = |without: &str| -> Vec<&str> {
                all.iter()
                    .filter(|(kind, _)| *kind != without)
                    .map(|(_, line)| *line)
                    .collect()
            };
            assert_eq!(side("come"), before.lines().collect::<Vec<_>>());
            assert_eq!(side("gone"), after.lines().collect::<Vec<_>>());
        }
    }
}
