//! The ship notice (856): its structure and what stands in it.

use serde::{Deserialize, Serialize};

/// The 856.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShipNotice {
    /// Order of the HL levels.
    pub structure: Structure,
    /// BSN05; `none`: left out; empty: what goes with the structure.
    pub structure_code: String,
    /// HL04, whether a level has children.
    pub child_code: bool,
    /// How a carton's SSCC-18 is written (MAN).
    pub sscc: SsccQualifier,
    /// The carrier's number of each carton in a second MAN (qualifier CP), where it is known.
    pub carton_tracking: bool,
    /// TD101, the kind of packages.
    pub packaging: String,
    /// TD101 of the pallets, in structures with tares.
    pub pallet_packaging: String,
    /// Unit of the gross weight (TD108).
    pub weight_unit: WeightUnit,
    /// Whether the gross weight is stated where it is known.
    pub weight: bool,
    /// References of the shipment (REF): BM bill of lading, CN carrier's PRO or tracking number, 2I tracking number,
    /// SI our shipment number.
    pub references: Vec<String>,
    /// References of the order (REF at the order level), echoed from the 850 by qualifier; IA falls back to our vendor
    /// number.
    pub order_references: Vec<String>,
    /// Where the store that a carton is marked for is named (N1).
    pub mark_for: MarkFor,
    /// N101 of that store: Z7 mark-for, BY buyer.
    pub mark_for_role: String,
    /// N103 of stores: 92 assigned by the buyer, UL GLN.
    pub location_qualifier: String,
    /// The ordered quantity beside the shipped one (SN105, SN106).
    pub ordered_quantity: bool,
    /// Case pack of the item (PO4).
    pub pack: bool,
    /// Description of the item (PID).
    pub description: bool,
    /// What CTT01 counts.
    pub total: Ctt,
    /// BSN01 of an 856 that is sent again in place of a rejected one: 00 original, 05 replace.
    pub resend_purpose: String,
}

impl Default for ShipNotice {
    fn default() -> Self {
        Self {
            structure: Structure::ShipmentOrderPackItem,
            structure_code: String::new(),
            child_code: true,
            sscc: SsccQualifier::WithIdentifier,
            carton_tracking: false,
            packaging: "CTN25".to_owned(),
            pallet_packaging: "PLT94".to_owned(),
            weight_unit: WeightUnit::Pound,
            weight: true,
            references: vec!["BM".to_owned(), "CN".to_owned()],
            order_references: vec!["DP".to_owned(), "IA".to_owned()],
            mark_for: MarkFor::Pack,
            mark_for_role: "Z7".to_owned(),
            location_qualifier: "92".to_owned(),
            ordered_quantity: true,
            pack: false,
            description: false,
            total: Ctt::Levels,
            resend_purpose: "00".to_owned(),
        }
    }
}

impl ShipNotice {
    /// BSN05, none where it is left out.
    pub fn bsn05(&self) -> Option<&str> {
        match self.structure_code.as_str() {
            "none" => None,
            "" => Some(self.structure.code()),
            code => Some(code),
        }
    }
}

/// Order of the HL levels of an 856.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Structure {
    /// Pick and pack: each carton lists its items.
    #[default]
    ShipmentOrderPackItem,
    /// Cartons above orders: one carton may hold several orders.
    ShipmentPackOrderItem,
    /// No cartons: items below the order.
    ShipmentOrderItem,
    /// Standard pack: each item lists its cartons.
    ShipmentOrderItemPack,
    /// Pallets (tares) below the order, cartons on them; cartons on no pallet stand below the order.
    ShipmentOrderTarePackItem,
    /// Pallets above orders: one pallet may hold several orders.
    ShipmentTareOrderPackItem,
    /// Pallets with their items, without cartons.
    ShipmentOrderTareItem,
}

impl Structure {
    /// BSN05 that goes with it.
    pub fn code(self) -> &'static str {
        match self {
            Self::ShipmentOrderPackItem
            | Self::ShipmentOrderTarePackItem
            | Self::ShipmentOrderTareItem => "0001",
            Self::ShipmentOrderItemPack => "0002",
            Self::ShipmentPackOrderItem | Self::ShipmentTareOrderPackItem => "0003",
            Self::ShipmentOrderItem => "0004",
        }
    }

    /// The word in profiles and listings.
    pub fn word(self) -> &'static str {
        match self {
            Self::ShipmentOrderPackItem => "shipment_order_pack_item",
            Self::ShipmentPackOrderItem => "shipment_pack_order_item",
            Self::ShipmentOrderItem => "shipment_order_item",
            Self::ShipmentOrderItemPack => "shipment_order_item_pack",
            Self::ShipmentOrderTarePackItem => "shipment_order_tare_pack_item",
            Self::ShipmentTareOrderPackItem => "shipment_tare_order_pack_item",
            Self::ShipmentOrderTareItem => "shipment_order_tare_item",
        }
    }

    /// Whether pallets are levels of their own.
    pub fn has_tares(self) -> bool {
        matches!(
            self,
            Self::ShipmentOrderTarePackItem
                | Self::ShipmentTareOrderPackItem
                | Self::ShipmentOrderTareItem
        )
    }

    /// Whether cartons are levels of their own.
    pub fn has_packs(self) -> bool {
        !matches!(self, Self::ShipmentOrderItem | Self::ShipmentOrderTareItem)
    }
}

/// MAN01 and MAN02 of a carton.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SsccQualifier {
    /// GM: `00` and the 18 digits.
    #[default]
    #[serde(rename = "GM")]
    WithIdentifier,
    /// AA: the 18 digits alone.
    #[serde(rename = "AA")]
    Bare,
}

impl SsccQualifier {
    /// MAN01.
    pub fn code(self) -> &'static str {
        match self {
            Self::WithIdentifier => "GM",
            Self::Bare => "AA",
        }
    }

    /// MAN02 for an SSCC of 18 digits.
    pub fn value(self, sscc: &str) -> String {
        match self {
            Self::WithIdentifier => format!("00{sscc}"),
            Self::Bare => sscc.to_owned(),
        }
    }
}

/// Unit of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum WeightUnit {
    /// Pounds.
    #[default]
    #[serde(rename = "LB")]
    Pound,
    /// Kilograms.
    #[serde(rename = "KG")]
    Kilogram,
}

impl WeightUnit {
    /// The X12 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Pound => "LB",
            Self::Kilogram => "KG",
        }
    }
}

/// Where the store that a carton is marked for is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkFor {
    /// At the carton (pack) level.
    #[default]
    Pack,
    /// At the order level: an order level for each store.
    Order,
    /// Nowhere.
    None,
}

/// What CTT01 counts; guides differ (X12-RULES 72).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ctt {
    /// HL segments.
    #[default]
    Levels,
    /// Item levels.
    Lines,
    /// No CTT.
    None,
}
