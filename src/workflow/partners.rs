//! Applying profiles: a partner with its addresses and its connection, as a new version of one document.

use super::{COMPANY, Gateway};
use crate::config::profile::Profile;
use crate::config::profile::connection::Route;
use crate::domain::ids::PartnerId;
use crate::domain::order::Mode;
use crate::storage::journal::Subject;
use crate::storage::partners::NewAddress;
use crate::storage::{Class, Connection, Failure};

/// Applies a profile. The partner and the version now in force; a text equal to the one in force makes no new version.
pub async fn apply(
    gateway: &Gateway,
    text: &str,
    actor: &str,
) -> Result<(PartnerId, i64), Failure> {
    let profile = Profile::parse(text).map_err(Failure::refused)?;
    let (gateway_inside, text, actor) = (gateway.clone(), text.to_owned(), actor.to_owned());
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, profile, text, actor) = (
                gateway_inside.clone(),
                profile.clone(),
                text.clone(),
                actor.clone(),
            );
            Box::pin(async move { write(&gateway, connection, &profile, &text, &actor).await })
        })
        .await
}

async fn write(
    gateway: &Gateway,
    connection: &mut Connection,
    profile: &Profile,
    text: &str,
    actor: &str,
) -> Result<(PartnerId, i64), Failure> {
    let now = gateway.now();
    if let Some(company) = gateway.settings.our_company() {
        let body = serde_json::to_string(company).unwrap_or_default();
        connection
            .save_company(COMPANY.0, &company.name, &body)
            .await?;
    }
    let kind = profile.kind.word();
    let status = profile.status.word();
    let (partner, version) = connection
        .apply_profile(
            &profile.partner,
            &profile.name,
            kind,
            status,
            text,
            actor,
            now,
        )
        .await?;
    let over = save_connection(connection, profile, partner).await?;
    let addresses = addresses(profile);
    if let Some(taken) = connection
        .save_addresses(partner, &addresses, &[over])
        .await?
    {
        return Err(Failure::refuse(format!(
            "the EDI address {}:{} (GS id {}, {}) already belongs to another partner: give each address to one partner only",
            taken.qualifier, taken.isa_id, taken.gs_id, taken.mode
        )));
    }
    let detail = format!("profile version {version}");
    connection
        .record(
            now,
            actor,
            "profile applied",
            Subject::new("partner", partner),
            &detail,
        )
        .await?;
    Ok((PartnerId(partner), version))
}

async fn save_connection(
    connection: &mut Connection,
    profile: &Profile,
    partner: i64,
) -> Result<i64, Failure> {
    let name = connection_name(profile);
    let (kind, body) = match profile.route() {
        Route::Mailbox(_) => ("mailbox", "{}".to_owned()),
        Route::Sftp(server) => ("sftp", serde_json::to_string(server).unwrap_or_default()),
        Route::Folder(folder) => ("folder", serde_json::to_string(folder).unwrap_or_default()),
    };
    if let Some(found) = connection.connection_named(&name).await? {
        let both_mailboxes = kind == "mailbox" && found.kind == "mailbox";
        let others: Vec<String> = connection
            .partners_over(found.id)
            .await?
            .into_iter()
            .filter(|(id, _)| *id != partner)
            .map(|(_, code)| code)
            .collect();
        if !others.is_empty() && !both_mailboxes {
            return Err(Failure::refuse(format!(
                "the connection {name} is a {} of {}: choose another name; only a mailbox can be shared",
                found.kind,
                others.join(", ")
            )));
        }
    }
    connection
        .save_connection(&name, kind, Some(partner), &body)
        .await
}

/// The name of the connection over which a profile says that files come and go.
pub fn connection_name(profile: &Profile) -> String {
    match profile.route() {
        Route::Mailbox(name) => name.to_owned(),
        Route::Sftp(_) => format!("{}-sftp", profile.partner),
        Route::Folder(_) => format!("{}-folder", profile.partner),
    }
}

/// The addresses that a profile gives a partner.
pub fn addresses(profile: &Profile) -> Vec<NewAddress> {
    profile
        .address
        .iter()
        .flat_map(|address| {
            [Mode::Production, Mode::Test]
                .into_iter()
                .filter(|mode| address.serves(*mode))
                .map(|mode| NewAddress {
                    qualifier: address.qualifier().to_owned(),
                    isa_id: address.id.clone(),
                    gs_id: address.group_id().to_owned(),
                    mode: mode.word(),
                })
        })
        .collect()
}
