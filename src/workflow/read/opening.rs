//! Who speaks: the sender of an interchange, whether it may speak here, and what that lets it do.

use std::sync::Arc;

use supercargo_x12::{IsaHeader, Ta1};

use super::Reading;
use super::parse::Group;
use crate::config::profile::{PartnerStatus, Profile};
use crate::domain::finding::{Finding, Origin, Severity};
use crate::domain::ids::PartnerId;
use crate::domain::order::Mode;
use crate::storage::Failure;
use crate::storage::partners::SenderRow;
use crate::translation::envelope::Addresses;
use crate::workflow::Trading;

/// An interchange between its ISA and its IEA.
pub struct Open {
    /// Number in the database.
    pub id: Option<i64>,
    /// The ISA.
    pub header: IsaHeader,
    /// The sender, where it is known.
    pub trading: Option<Trading>,
    /// Production or test.
    pub mode: Mode,
    /// Why the interchange is held as a whole, if it is.
    pub reasons: Vec<Finding>,
    /// TA1 segments it carries.
    pub ta1s: Vec<Ta1>,
    /// Groups that are not written yet.
    pub groups: Vec<Group>,
    /// Groups that are written.
    pub groups_written: usize,
    /// Sets that are written.
    pub sets_written: i64,
}

impl Open {
    /// The profile to judge by.
    pub fn profile(&self) -> Option<Arc<Profile>> {
        self.trading.as_ref().map(|trading| trading.profile.clone())
    }

    /// Sets that wait for the end.
    pub fn pending_sets(&self) -> usize {
        self.groups
            .iter()
            .map(|group| group.verdict.sets.len())
            .sum()
    }

    /// Sender and receiver as one word: the scope of control numbers.
    pub fn pair(&self) -> String {
        let isa = &self.header;
        format!(
            "{}:{}>{}:{}",
            isa.sender_qualifier, isa.sender, isa.receiver_qualifier, isa.receiver
        )
    }
}

fn hold(code: &str, message: String) -> Finding {
    Finding::business(code, Severity::Hold, message).by(Origin::Transport)
}

impl Reading<'_> {
    /// Finds out who speaks.
    pub(super) async fn open(
        &self,
        header: IsaHeader,
        group_sender: Option<String>,
    ) -> Result<Open, Failure> {
        let mode = if header.is_test() {
            Mode::Test
        } else {
            Mode::Production
        };
        let mut connection = self.gateway.store.read().await?;
        connection.see_catalogue(self.mark);
        let group_sender = group_sender.as_deref();
        let (mut trading, mut reasons) = self
            .who(&mut connection, &header, mode, group_sender)
            .await?;
        if !reasons.is_empty() && self.mark.is_some() {
            // A profile may have been applied since: what holds it is looked up as it is now.
            connection.see_catalogue(None);
            (trading, reasons) = self
                .who(&mut connection, &header, mode, group_sender)
                .await?;
        }
        Ok(Open {
            id: None,
            header,
            trading,
            mode,
            reasons,
            ta1s: Vec::new(),
            groups: Vec::new(),
            groups_written: 0,
            sets_written: 0,
        })
    }

    /// Who speaks, and why the interchange is held as a whole, if it is.
    async fn who(
        &self,
        connection: &mut crate::storage::Connection,
        header: &IsaHeader,
        mode: Mode,
        group_sender: Option<&str>,
    ) -> Result<(Option<Trading>, Vec<Finding>), Failure> {
        let known = connection
            .senders(&header.sender_qualifier, &header.sender)
            .await?;
        let (sender, mut reasons) = choose(&known, header, mode, group_sender);
        let Some(sender) = sender else {
            return Ok((None, reasons));
        };
        let found = self
            .gateway
            .trading(connection, PartnerId(sender.partner_id))
            .await?;
        reasons.extend(self.may_speak(connection, &sender, &found).await?);
        if mode == Mode::Production && found.profile.status == PartnerStatus::Test {
            reasons.push(hold(
                "partner-not-live",
                format!("{} is still in test and this interchange says production (ISA15 = P): set `status = \"live\"` in its profile when it may trade, then replay", found.profile.partner),
            ));
        }
        reasons.extend(self.for_us(header, &found, mode));
        Ok((Some(found), reasons))
    }

    async fn may_speak(
        &self,
        connection: &mut crate::storage::Connection,
        sender: &SenderRow,
        trading: &Trading,
    ) -> Result<Option<Finding>, Failure> {
        if let Some(over) = self.file.connection_id
            && !connection.may_speak(sender.id, over).await?
        {
            let name = connection
                .connection(over)
                .await?
                .map(|row| row.name)
                .unwrap_or_default();
            return Ok(Some(hold(
                "sender-not-allowed-here",
                format!(
                    "the sender is {}, and the connection {name:?} may not speak for it: if it should, name this connection in its profile and replay; else ask who sent this",
                    trading.profile.partner
                ),
            )));
        }
        if self
            .file
            .partner_id
            .is_some_and(|partner| partner != sender.partner_id)
        {
            return Ok(Some(hold(
                "sender-is-another-partner",
                format!(
                    "the file was submitted for another partner, and its sender is {}: submit it with `--partner {}`",
                    trading.profile.partner, trading.profile.partner
                ),
            )));
        }
        Ok(None)
    }

    fn for_us(&self, header: &IsaHeader, trading: &Trading, mode: Mode) -> Option<Finding> {
        let company = self.gateway.settings.our_company()?;
        let ours = Addresses::of(&trading.profile, company, mode);
        let right =
            ours.our_qualifier == header.receiver_qualifier && ours.our_id == header.receiver;
        (!right).then(|| {
            hold(
                "receiver-is-not-us",
                format!(
                    "the interchange is addressed to {}:{}, and {} knows us as {}:{}: correct [us] in its profile if that is our address, then replay",
                    header.receiver_qualifier, header.receiver, trading.profile.partner, ours.our_qualifier, ours.our_id
                ),
            )
        })
    }
}

/// The address that speaks, among those with its qualifier and ISA id; and why none does.
fn choose(
    known: &[SenderRow],
    header: &IsaHeader,
    mode: Mode,
    group_sender: Option<&str>,
) -> (Option<SenderRow>, Vec<Finding>) {
    let who = format!("{}:{}", header.sender_qualifier, header.sender);
    if known.is_empty() {
        let message = format!(
            "no partner has the EDI address {who}: add it to a profile (`[[address]]`), apply that, and replay this document; nothing is lost"
        );
        return (None, vec![hold("sender-unknown", message).with_value(who)]);
    }
    let of_mode: Vec<&SenderRow> = known.iter().filter(|row| row.mode == mode.word()).collect();
    let Some(first) = of_mode.first() else {
        let message = format!(
            "the address {who} is known, but not for {} traffic: set its `mode` in the profile, then replay",
            mode.word()
        );
        return (None, vec![hold("sender-mode", message)]);
    };
    // A blank GS02 names nobody; the address in the ISA is enough where it is that of one alone.
    let is_named = |gs: &&str| !gs.is_empty() || of_mode.len() > 1;
    let Some(gs) = group_sender.filter(is_named) else {
        return (Some((*first).clone()), Vec::new());
    };
    match of_mode.iter().find(|row| row.gs_id == gs) {
        Some(row) => (Some((*row).clone()), Vec::new()),
        None => {
            let message = format!(
                "the address {who} is known with the group id (GS02) {:?}, and this group says {gs:?}: set `gs_id` of the address in the profile, then replay",
                first.gs_id
            );
            (
                Some((*first).clone()),
                vec![hold("group-sender-unknown", message).with_value(gs)],
            )
        }
    }
}
