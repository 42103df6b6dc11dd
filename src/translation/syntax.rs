//! Findings of the standard and of the guide, as the engine gives them, become findings of the domain: one to the other.

use crate::domain::finding::{Finding, Origin, Place, Severity};

/// The engine's finding in the domain's words. `severity` is the caller's, for what a fault leads to is the partner's
/// choice (X12-RULES 35); [`severity_of`] gives the engine's own.
pub fn finding(found: &supercargo_x12::Finding, severity: Severity) -> Finding {
    Finding {
        code: found.rule.name().to_owned(),
        message: found.message.clone(),
        origin: match found.origin {
            supercargo_x12::Origin::Standard => Origin::Standard,
            supercargo_x12::Origin::Guide => Origin::Guide,
        },
        severity,
        place: Place {
            byte: Some(found.offset),
            line: Some(found.line),
            segment: found.segment.clone(),
            segment_index: found.segment_index,
            element: found.element.map(u32::from),
            component: found.component.map(u32::from),
        },
        value: found.value.clone(),
        order_line: None,
    }
}

/// The severity that the engine gives by itself.
pub fn severity_of(found: &supercargo_x12::Finding) -> Severity {
    match found.severity {
        supercargo_x12::Severity::Note | supercargo_x12::Severity::Tolerate => Severity::Note,
        supercargo_x12::Severity::Hold => Severity::Hold,
        supercargo_x12::Severity::Reject => Severity::Reject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use supercargo_x12::Rule;

    #[test]
    fn everything_a_person_needs_is_carried_over() {
        let mut found = supercargo_x12::Finding::new(Rule::InvalidCode, 120, 3, "BEG01 is 99.")
            .in_segment("BEG", 2)
            .with_value("99");
        found.element = Some(1);
        let told = finding(&found, severity_of(&found));
        assert_eq!(told.code, "invalid-code");
        assert_eq!(told.severity, Severity::Reject);
        assert_eq!(told.origin, Origin::Standard);
        assert_eq!(told.value.as_deref(), Some("99"));
        assert_eq!(
            told.place,
            Place {
                byte: Some(120),
                line: Some(3),
                segment: Some("BEG".into()),
                segment_index: Some(2),
                element: Some(1),
                component: None,
            }
        );
        assert_eq!(finding(&found, Severity::Hold).severity, Severity::Hold);
    }
}
