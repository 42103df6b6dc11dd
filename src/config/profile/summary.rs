//! A profile in a few lines, for `partner show`.

use super::Profile;
use super::acknowledgment::Ta1;
use super::addresses::AddressMode;
use super::connection::Route;
use crate::domain::policy::{InvoicePer, InvoiceWhen, OnShort};

impl Profile {
    /// What a person wants to know first: pairs of a label and its value.
    pub fn summary(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("partner", self.partner.clone()),
            ("name", self.display_name().to_owned()),
            ("kind", self.kind.word().to_owned()),
            ("status", self.status.word().to_owned()),
        ];
        lines.extend(
            self.address
                .iter()
                .map(|address| ("address", address_line(address))),
        );
        lines.push(("us", self.our_line()));
        lines.push(("connection", self.connection_line()));
        lines.push((
            "receives",
            format!("{} from the partner", self.documents.receive.join(", ")),
        ));
        lines.push(("sends", self.sends_line()));
        lines.push((
            "envelope",
            format!(
                "release {}, ISA {}, elements {:?}, components {:?}, segments {:?}",
                self.envelope.release,
                self.envelope.isa_version(),
                self.envelope.element,
                self.envelope.component,
                self.envelope.terminator
            ),
        ));
        lines.push(("acknowledgment", self.acknowledgment_line()));
        lines.push(("short stock", self.stock_line()));
        lines.push((
            "ship notice",
            format!(
                "{}, cartons marked {}",
                self.ship_notice.structure.word(),
                self.ship_notice.sscc.code()
            ),
        ));
        lines.push(("invoice", self.invoice_line()));
        lines.push(("terms", self.terms_line()));
        lines
    }

    fn our_line(&self) -> String {
        if self.us.id.is_empty() {
            "the company's own address".to_owned()
        } else {
            let qualifier = if self.us.qualifier.is_empty() {
                "(the company's qualifier)"
            } else {
                &self.us.qualifier
            };
            format!("{qualifier}/{}", self.us.id)
        }
    }

    fn connection_line(&self) -> String {
        match self.route() {
            Route::Mailbox(name) => format!("mailbox {name} of the embedded SFTP server"),
            Route::Sftp(server) => format!(
                "{}@{}:{}, fetching from {:?}, delivering to {:?}, every {} s",
                server.user,
                server.host,
                server.port,
                server.fetch_from,
                server.deliver_to,
                server.interval_seconds
            ),
            Route::Folder(folder) => {
                format!(
                    "folders {} (in) and {} (out)",
                    folder.inbound, folder.outbound
                )
            }
        }
    }

    fn sends_line(&self) -> String {
        let mut sets: Vec<&str> = self.acknowledgment.send.set().into_iter().collect();
        sets.extend(self.documents.send.iter().map(String::as_str));
        if sets.is_empty() {
            "nothing".to_owned()
        } else {
            sets.join(", ")
        }
    }

    fn acknowledgment_line(&self) -> String {
        let ta1 = match self.acknowledgment.ta1 {
            Ta1::OnRequest => "TA1 where asked for and for what is refused",
            Ta1::OnError => "TA1 where asked for and for every faulty envelope",
            Ta1::Never => "no TA1",
        };
        let expected = if self.acknowledgment.expect {
            format!(
                "theirs within {} h",
                self.acknowledgment.expect_within_hours
            )
        } else {
            "none expected from them".to_owned()
        };
        format!("{ta1}; {expected}")
    }

    fn stock_line(&self) -> String {
        let short = match self.allocation.on_short {
            OnShort::Backorder => "backordered",
            OnShort::Cut => "cut",
        };
        if self.allocation.ship_complete {
            format!("{short}; ships complete or not at all")
        } else {
            short.to_owned()
        }
    }

    fn invoice_line(&self) -> String {
        let per = match self.invoicing.per {
            InvoicePer::Shipment => "per order and shipment",
            InvoicePer::Store => "per store",
            InvoicePer::Order => "per order",
        };
        let when = match self.invoicing.when {
            InvoiceWhen::Shipped => "when shipped",
            InvoiceWhen::ShipNoticeAccepted => "when the ship notice is accepted",
        };
        format!("{per}, {when}, in {}", self.currency)
    }

    fn terms_line(&self) -> String {
        let terms = &self.invoicing.terms;
        let net = terms
            .net_days
            .unwrap_or(crate::domain::terms::NET_DAYS_DEFAULT);
        let own = match (terms.discount_percent, terms.discount_days) {
            (Some(percent), Some(days)) => format!("{percent}% {days} days, net {net}"),
            _ => format!("net {net}"),
        };
        if self.invoicing.terms_from_order {
            format!("the order's; without any, {own}")
        } else {
            own
        }
    }
}

fn address_line(address: &super::PartnerAddress) -> String {
    let mode = match address.mode {
        AddressMode::Production => "production",
        AddressMode::Test => "test",
        AddressMode::Both => "production and test",
    };
    format!(
        "{}/{} (GS {}), {mode}",
        address.qualifier(),
        address.id,
        address.group_id()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_things_a_person_asks_for_are_there() {
        let profile = Profile::parse(
            "partner = \"bigbuy\"\n[[address]]\nid = \"BIG\"\nmode = \"test\"\n[us]\nid = \"WE\"\n[invoicing.terms]\nnet_days = 60\n[documents]\nsend = [\"810\"]\n",
        )
        .unwrap();
        let lines: Vec<String> = profile
            .summary()
            .iter()
            .map(|(label, value)| format!("{label}: {value}"))
            .collect();
        for line in [
            "partner: bigbuy",
            "address: ZZ/BIG (GS BIG), test",
            "us: (the company's qualifier)/WE",
            "connection: mailbox bigbuy of the embedded SFTP server",
            "sends: 997, 810",
            "terms: the order's; without any, net 60",
        ] {
            assert!(
                lines.iter().any(|found| found == line),
                "{line} not in {lines:#?}"
            );
        }
    }
}
