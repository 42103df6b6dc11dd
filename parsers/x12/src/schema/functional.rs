//! Which functional group a set travels in (rule 9).

/// GS01 for a set; none for sets that are not known here.
pub fn functional_id_of(set: &str) -> Option<&'static str> {
    Some(match set {
        "180" => "AN",
        "204" => "SM",
        "210" => "IM",
        "211" => "BL",
        "214" => "QM",
        "753" => "RF",
        "754" => "RG",
        "810" => "IN",
        "812" => "CD",
        "816" => "OR",
        "820" => "RA",
        "824" => "AG",
        "830" => "PS",
        "832" => "SC",
        "840" => "RQ",
        "843" => "RR",
        "844" => "CF",
        "845" => "PA",
        "846" => "IB",
        "849" => "CF",
        "850" => "PO",
        "852" => "PD",
        "855" => "PR",
        "856" => "SH",
        "857" => "BS",
        "860" => "PC",
        "861" => "RC",
        "862" => "SS",
        "864" => "TX",
        "865" => "CA",
        "867" => "PT",
        "869" => "RS",
        "870" => "RS",
        "875" => "OG",
        "880" => "GP",
        "940" => "OW",
        "943" => "AR",
        "944" => "RE",
        "945" => "SW",
        "947" => "AW",
        "990" => "GF",
        "997" | "999" => "FA",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_009_the_group_of_each_set() {
        for (set, group) in [
            ("850", "PO"),
            ("855", "PR"),
            ("856", "SH"),
            ("810", "IN"),
            ("820", "RA"),
            ("860", "PC"),
            ("865", "CA"),
            ("846", "IB"),
            ("940", "OW"),
            ("945", "SW"),
            ("824", "AG"),
            ("180", "AN"),
            ("812", "CD"),
            ("864", "TX"),
            ("753", "RF"),
            ("754", "RG"),
            ("816", "OR"),
            ("870", "RS"),
            ("852", "PD"),
            ("997", "FA"),
            ("999", "FA"),
        ] {
            assert_eq!(functional_id_of(set), Some(group), "{set}");
        }
    }
}
