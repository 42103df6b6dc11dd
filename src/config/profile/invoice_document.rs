//! The invoice as a document (810): what stands in it. What is invoiced, and when, is the invoicing policy's.

use serde::{Deserialize, Serialize};

/// The 810.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InvoiceDocument {
    /// BIG07 of an invoice: DI debit invoice, PR product, CN credit invoice … empty: left out.
    pub kind_code: String,
    /// BIG07 of a credit.
    pub credit_code: String,
    /// Sign of a credit's amounts.
    pub credit_sign: CreditSign,
    /// Parties (N1): RE remit-to and SF ship-from are ours, the others are echoed from the order.
    pub parties: Vec<String>,
    /// References (REF): BM bill of lading and CN carrier's number come from the shipment, the others are echoed from
    /// the order by qualifier; IA falls back to our vendor number.
    pub references: Vec<String>,
    /// Terms (ITD).
    pub terms: bool,
    /// Ship date (DTM 011).
    pub ship_date: bool,
    /// TDS02, the amount subject to discount.
    pub discount_base: DiscountBase,
    /// TDS03 and TDS04, the discounted total and the discount, where there is one.
    pub discount_amounts: bool,
    /// Description of each line (PID).
    pub description: bool,
    /// Carrier (CAD).
    pub carrier: bool,
    /// Units shipped (ISS).
    pub shipped_units: bool,
    /// CTT with the number of lines.
    pub line_count: bool,
    /// BIG08 of an 810 that is sent again in place of a rejected one: 00 original, 05 replace.
    pub resend_purpose: String,
    /// N103 of parties that have only a number in our lists: 92 assigned by the buyer, UL GLN.
    pub location_qualifier: String,
}

impl Default for InvoiceDocument {
    fn default() -> Self {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            kind_code: String::new(),
            credit_code: "CR".to_owned(),
            credit_sign: CreditSign::Positive,
            parties: list(&["RE", "ST"]),
            references: list(&["DP", "IA", "BM"]),
            terms: true,
            ship_date: true,
            discount_base: DiscountBase::WhenDifferent,
            discount_amounts: false,
            description: false,
            carrier: false,
            shipped_units: false,
            line_count: true,
            resend_purpose: "00".to_owned(),
            location_qualifier: "92".to_owned(),
        }
    }
}

/// Sign of a credit's amounts; partners differ (X12-RULES 82).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditSign {
    /// Positive amounts; BIG07 says that it is a credit.
    #[default]
    Positive,
    /// Negative amounts.
    Negative,
}

/// When TDS02 stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscountBase {
    /// Where it differs from the total.
    #[default]
    WhenDifferent,
    /// Always.
    Always,
    /// Never.
    Never,
}
