//! What lies in a carton. Most of a shipment's cartons are cases of one item: they share what they say of it, and are told
//! to be alike by that.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::CartonContent;

/// What lies in a carton; a copy costs nothing until it is changed.
#[derive(Debug, Clone, Default, Eq)]
pub struct Contents(Arc<Vec<CartonContent>>);

impl Contents {
    /// To be changed; what other cartons say stays as it is.
    pub fn to_mut(&mut self) -> &mut Vec<CartonContent> {
        Arc::make_mut(&mut self.0)
    }

    /// Whether two say the same because they are the same.
    pub fn are_one(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl PartialEq for Contents {
    fn eq(&self, other: &Self) -> bool {
        self.are_one(other) || self.0 == other.0
    }
}

impl Deref for Contents {
    type Target = [CartonContent];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Contents {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.to_mut()
    }
}

impl From<Vec<CartonContent>> for Contents {
    fn from(contents: Vec<CartonContent>) -> Self {
        Self(Arc::new(contents))
    }
}

impl From<Contents> for Vec<CartonContent> {
    fn from(contents: Contents) -> Self {
        Arc::unwrap_or_clone(contents.0)
    }
}

impl FromIterator<CartonContent> for Contents {
    fn from_iter<I: IntoIterator<Item = CartonContent>>(contents: I) -> Self {
        Vec::from_iter(contents).into()
    }
}

impl<'c> IntoIterator for &'c Contents {
    type Item = &'c CartonContent;
    type IntoIter = std::slice::Iter<'c, CartonContent>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Serialize for Contents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Contents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}
