//! How the cartons of a shipment are kept: those that follow one another and differ in their SSCC alone stand there once,
//! with all their SSCCs, or, where these were numbered one after the other, with the first and the last. Most of a
//! shipment's cartons are cases of one item, and say the same a hundred times.

use compact_str::CompactString;
use serde::de::Error;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::gs1::{sscc_body, sscc_of_body};
use super::super::order::is_default;
use super::{Carton, Contents};

/// Cartons that differ in their SSCC alone, as they are written.
#[derive(Serialize)]
struct Alike<'c> {
    #[serde(flatten)]
    labels: Labels<'c>,
    #[serde(skip_serializing_if = "str::is_empty")]
    store: &'c str,
    contents: &'c Contents,
    #[serde(skip_serializing_if = "is_default")]
    grams: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    tracking: &'c str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pallet: &'c str,
}

/// The SSCCs of cartons.
#[derive(Serialize)]
#[serde(untagged)]
enum Labels<'c> {
    /// From one through another, numbered one after the other.
    Run { sscc: &'c str, through: &'c str },
    /// Each.
    Each { ssccs: Vec<&'c str> },
}

impl<'c> Labels<'c> {
    fn of(first: &'c Carton, others: &'c [Carton]) -> Self {
        let mut next = sscc_body(&first.sscc);
        let follows = |carton: &Carton| {
            next = next.map(|body| body + 1);
            next.is_some() && sscc_body(&carton.sscc) == next
        };
        match others.last() {
            Some(last) if others.len() < MOST && others.iter().all(follows) => Self::Run {
                sscc: &first.sscc,
                through: &last.sscc,
            },
            _ => Self::Each {
                ssccs: [first]
                    .into_iter()
                    .chain(others)
                    .map(|carton| carton.sscc.as_str())
                    .collect(),
            },
        }
    }
}

/// Cartons that are read out of runs at most, far more than anybody packs in a shipment: a row that was tampered with must
/// not take all memory.
const MOST: usize = 1_000_000;

/// The SSCCs from one through another; none: no run of at most `most` goes from the one to the other.
fn run(first: &str, last: &str, most: usize) -> Option<Vec<CompactString>> {
    let (first, last) = (sscc_body(first)?, sscc_body(last)?);
    if usize::try_from(last.checked_sub(first)?).ok()? >= most {
        return None;
    }
    (first..=last).map(sscc_of_body).collect()
}

/// One carton or several alike, as they are read.
#[derive(Deserialize)]
struct Kept {
    #[serde(default)]
    through: Option<CompactString>,
    #[serde(default)]
    ssccs: Option<Vec<CompactString>>,
    #[serde(default)]
    sscc: CompactString,
    #[serde(default)]
    store: CompactString,
    contents: Contents,
    #[serde(default)]
    grams: i64,
    #[serde(default)]
    tracking: CompactString,
    #[serde(default)]
    pallet: CompactString,
}

fn are_alike(one: &Carton, other: &Carton) -> bool {
    one.contents == other.contents
        && one.store == other.store
        && one.grams == other.grams
        && one.tracking == other.tracking
        && one.pallet == other.pallet
}

/// Writes cartons.
pub fn serialize<S: Serializer>(cartons: &[Carton], serializer: S) -> Result<S::Ok, S::Error> {
    let mut kept = serializer.serialize_seq(None)?;
    for alike in cartons.chunk_by(are_alike) {
        match alike {
            [] => {}
            [only] => kept.serialize_element(only)?,
            [first, others @ ..] => kept.serialize_element(&Alike {
                labels: Labels::of(first, others),
                store: &first.store,
                contents: &first.contents,
                grams: first.grams,
                tracking: &first.tracking,
                pallet: &first.pallet,
            })?,
        }
    }
    kept.end()
}

/// Reads cartons, each by itself.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Carton>, D::Error> {
    let mut cartons = Vec::new();
    for kept in Vec::<Kept>::deserialize(deserializer)? {
        let ssccs = match &kept.through {
            Some(last) => {
                let (first, room) = (&kept.sscc, MOST.saturating_sub(cartons.len()));
                Some(run(first, last, room).ok_or_else(|| {
                    D::Error::custom(format!("no SSCCs are numbered from {first} through {last}"))
                })?)
            }
            None => kept.ssccs,
        };
        let first = Carton {
            sscc: kept.sscc,
            store: kept.store,
            contents: kept.contents,
            grams: kept.grams,
            tracking: kept.tracking,
            pallet: kept.pallet,
        };
        match ssccs {
            None => cartons.push(first),
            Some(ssccs) => cartons.extend(ssccs.into_iter().map(|sscc| Carton {
                sscc,
                ..first.clone()
            })),
        }
    }
    Ok(cartons)
}

#[cfg(test)]
mod tests {
    use super::super::super::specimens::{carton, content};
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Body {
        #[serde(with = "super")]
        cartons: Vec<Carton>,
    }

    #[test]
    fn cartons_are_read_as_they_were_whatever_of_them_is_alike() {
        let full = |sscc: &str| carton(sscc, "0001", vec![content(1, "12")]);
        let mixed = carton("m", "0001", vec![content(1, "5"), content(2, "3")]);
        let elsewhere = carton("e", "0002", vec![content(1, "12")]);
        let mut heavy = full("h");
        heavy.grams += 1;
        let mut tracked = full("t");
        tracked.tracking = "1Z".into();
        let mut loaded = full("p");
        loaded.pallet = "P".into();
        let table: [(Vec<Carton>, usize); 6] = [
            (vec![], 0),
            (vec![full("a")], 1),
            (vec![full("a"), full("b"), full("")], 1),
            (vec![full("a"), mixed.clone(), full("b"), full("c")], 3),
            (vec![full("a"), elsewhere, heavy, tracked, loaded], 5),
            (vec![mixed.clone(), mixed], 1),
        ];
        for (cartons, kept) in table {
            let body = Body { cartons };
            let text = serde_json::to_value(&body).unwrap();
            assert_eq!(text["cartons"].as_array().unwrap().len(), kept, "{text}");
            assert_eq!(serde_json::from_value::<Body>(text).unwrap(), body);
        }
    }

    #[test]
    fn ssccs_that_were_numbered_one_after_the_other_are_kept_as_the_first_and_the_last() {
        let cartons = |bodies: &[u64]| {
            let sscc = |body: &u64| sscc_of_body(*body).unwrap();
            let one = |body| carton(&sscc(body), "", vec![content(1, "12")]);
            bodies.iter().map(one).collect::<Vec<_>>()
        };
        for (bodies, is_run) in [
            (vec![614_141_000_000_007, 614_141_000_000_008], true),
            ((614_141_000_000_995..614_141_000_001_105).collect(), true),
            (vec![99_999_999_999_999_998, 99_999_999_999_999_999], true),
            (vec![614_141_000_000_007, 614_141_000_000_009], false),
            (vec![614_141_000_000_008, 614_141_000_000_007], false),
            (vec![614_141_000_000_007, 614_141_000_000_007], false),
        ] {
            let body = Body {
                cartons: cartons(&bodies),
            };
            let text = serde_json::to_value(&body).unwrap();
            assert_eq!(text["cartons"][0]["through"].is_string(), is_run, "{text}");
            assert_eq!(serde_json::from_value::<Body>(text).unwrap(), body);
        }
    }

    #[test]
    fn what_is_no_run_of_ssccs_is_not_read_as_one() {
        let sscc = |body| sscc_of_body(body).unwrap();
        for (first, last) in [
            ("x".into(), sscc(8)),
            (sscc(8), "006141411234567891".into()),
            (sscc(8), sscc(7)),
            (sscc(8), sscc(8 + 2_000_000)),
        ] {
            let text = serde_json::json!({ "cartons": [{ "sscc": first, "through": last, "contents": [] }] });
            assert!(
                serde_json::from_value::<Body>(text).is_err(),
                "{first} {last}"
            );
        }
    }

    #[test]
    fn cartons_that_stand_there_one_by_one_are_read_too() {
        let cartons = vec![
            carton("a", "", vec![content(1, "1")]),
            carton("b", "", vec![]),
        ];
        let text = serde_json::json!({ "cartons": cartons });
        assert_eq!(
            serde_json::from_value::<Body>(text).unwrap(),
            Body { cartons }
        );
    }
}
