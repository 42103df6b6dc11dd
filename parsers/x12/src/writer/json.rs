//! Outbound segments as JSON: a segment is an array of its identifier and its elements, an element is text, an array of
//! components, or `{"repeat":[…]}`. Written and read in one pass, for every document we send goes through it.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::outbound::{OutElement, OutSegment, Text};

impl Serialize for OutSegment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serializer.serialize_seq(Some(self.elements.len() + 1))?;
        all.serialize_element(&self.id)?;
        for element in &self.elements {
            all.serialize_element(element)?;
        }
        all.end()
    }
}

impl Serialize for OutElement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            OutElement::Simple(value) => value.serialize(serializer),
            OutElement::Composite(values) => values.serialize(serializer),
            // Without a name they would be taken for the components of a composite.
            OutElement::Repeated(elements) => {
                let mut named = serializer.serialize_map(Some(1))?;
                named.serialize_entry("repeat", elements)?;
                named.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for OutSegment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(OfSegment)
    }
}

struct OfSegment;

impl<'de> Visitor<'de> for OfSegment {
    type Value = OutSegment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an array whose first entry is the segment's identifier, such as [\"BEG\",\"00\"]",
        )
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<OutSegment, A::Error> {
        let id: Text = all
            .next_element()?
            .ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let elements = Vec::deserialize(SeqAccessDeserializer::new(all))?;
        Ok(OutSegment { id, elements })
    }
}

impl<'de> Deserialize<'de> for OutElement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfElement)
    }
}

struct OfElement;

impl<'de> Visitor<'de> for OfElement {
    type Value = OutElement;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, an array of components, or {\"repeat\":[…]}")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<OutElement, E> {
        Ok(OutElement::Simple(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, all: A) -> Result<OutElement, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(all)).map(OutElement::Composite)
    }

    fn visit_map<A: MapAccess<'de>>(self, named: A) -> Result<OutElement, A::Error> {
        Repeated::deserialize(MapAccessDeserializer::new(named))
            .map(|repeated| OutElement::Repeated(repeated.repeat))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeated {
    repeat: Vec<OutElement>,
}
