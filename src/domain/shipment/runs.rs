//! How the cartons of a shipment are kept: those that follow one another and differ in their SSCC alone stand there once,
//! with all their SSCCs. Most of a shipment's cartons are cases of one item, and say the same a hundred times.

use compact_str::CompactString;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Carton, Contents};

/// Cartons that differ in their SSCC alone, as they are written.
#[derive(Serialize)]
struct Alike<'c> {
    ssccs: Vec<&'c str>,
    store: &'c str,
    contents: &'c Contents,
    grams: i64,
    tracking: &'c str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pallet: &'c str,
}

/// One carton or several alike, as they are read.
#[derive(Deserialize)]
struct Kept {
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
            [first, ..] => kept.serialize_element(&Alike {
                ssccs: alike.iter().map(|carton| carton.sscc.as_str()).collect(),
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
        let first = Carton {
            sscc: kept.sscc,
            store: kept.store,
            contents: kept.contents,
            grams: kept.grams,
            tracking: kept.tracking,
            pallet: kept.pallet,
        };
        match kept.ssccs {
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
