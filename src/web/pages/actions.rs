//! What people do: each form leads to one step of workflow, and back to the page where its effect shows.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use rust_decimal::Decimal;

use super::documents::{Typed, delimiters, show_editor};
use super::payments::Entry;
use super::shipments::Draft;
use super::{partners as partner_pages, payments as payment_pages, shipments as shipment_pages};
use crate::config::profile::Profile;
use crate::domain::ids::{DeductionId, DocumentId, OrderId, PartnerId, PaymentId, ShipmentId};
use crate::domain::money::{Amount, Currency};
use crate::domain::order::Mode;
use crate::domain::remittance::{Remittance, RemittanceAdjustment};
use crate::domain::shipment::Confirmation;
use crate::storage::console::{partners, payments};
use crate::web::Console;
use crate::web::editor;
use crate::web::gate::form::{Fields, SignedForm};
use crate::web::gate::person::Role;
use crate::web::page::Asked;
use crate::web::trouble::Trouble;
use crate::workflow;
use crate::workflow::documents::Replayed;

fn back(path: &str, done: &str) -> Response {
    Redirect::to(&format!("{path}?done={done}")).into_response()
}

/// The sentence of a refusal, for showing it beside what was filled in; what is broken stays an error.
fn sentence(trouble: Trouble) -> Result<String, Trouble> {
    match trouble {
        Trouble::Refused(sentence) => Ok(sentence),
        other => Err(other),
    }
}

// ---- orders ----------------------------------------------------------------------------------------------------------

/// `POST /orders/{id}/release`
pub(crate) async fn release_order(
    State(console): State<Console>,
    Path(id): Path<i64>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Ops)?;
    let reason = form.fields.required("reason", "The reason")?;
    workflow::orders::release(console.gateway(), OrderId(id), &reason, &form.person.name).await?;
    Ok(back(&format!("/orders/{id}"), "released"))
}

/// `POST /orders/{id}/verify`: by today's lists and profile.
pub(crate) async fn verify_order(
    State(console): State<Console>,
    Path(id): Path<i64>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Ops)?;
    let verified =
        workflow::orders::verify_again(console.gateway(), OrderId(id), &form.person.name).await?;
    let done = match verified.state.word() {
        "held" => "held-still",
        "rejected" => "rejected",
        _ => "verified",
    };
    Ok(back(&format!("/orders/{id}"), done))
}

/// `POST /orders/{id}/reject`
pub(crate) async fn reject_order(
    State(console): State<Console>,
    Path(id): Path<i64>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Ops)?;
    let reason = form.fields.required("reason", "The reason")?;
    workflow::orders::reject(console.gateway(), OrderId(id), &reason, &form.person.name).await?;
    Ok(back(&format!("/orders/{id}"), "rejected"))
}

/// `POST /orders/{id}/cancel`: what of it has not left.
pub(crate) async fn cancel_order(
    State(console): State<Console>,
    Path(id): Path<i64>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Ops)?;
    let reason = form.fields.required("reason", "The reason")?;
    workflow::orders::cancel(console.gateway(), OrderId(id), &reason, &form.person.name).await?;
    Ok(back(&format!("/orders/{id}"), "cancelled"))
}

// ---- documents -------------------------------------------------------------------------------------------------------

/// `POST /documents/{id}/replay`
pub(crate) async fn replay_document(
    State(console): State<Console>,
    Path(id): Path<i64>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Ops)?;
    let replayed =
        workflow::documents::replay(console.gateway(), DocumentId(id), None, &form.person.name)
            .await?;
    Ok(match replayed {
        Replayed::Set => back(&format!("/documents/{id}"), "replayed"),
        // Its number ends with this reading of the file.
        Replayed::Interchange { file, .. } => back(&format!("/files/{file}"), "replayed"),
        Replayed::Anew(new) => back(&format!("/documents/{new}"), "replayed"),
    })
}

/// `POST /documents/{id}/correct`: stores the corrected set and replays it, or only checks it.
pub(crate) async fn correct_document(
    State(console): State<Console>,
    Path(id): Path<i64>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Ops)?;
    let mut typed = Typed {
        text: form.fields.raw("text").to_owned(),
        is_latin1: form.fields.text("latin1") == "1",
        check: form.fields.text("action") == "check",
        problem: String::new(),
    };
    let asked = Asked::default();
    if typed.check {
        return show_editor(&console, form.person, id, &asked, Some(typed)).await;
    }
    let separators = delimiters(&console, id).await?;
    let outcome = match editor::to_bytes(&typed.text, typed.is_latin1, &separators) {
        Ok(bytes) => {
            let actor = form.person.name.clone();
            workflow::documents::replay(console.gateway(), DocumentId(id), Some(bytes), &actor)
                .await
                .map_err(Trouble::from)
        }
        Err(refusal) => Err(Trouble::refused(refusal.to_string())),
    };
    match outcome {
        Ok(_) => Ok(back(&format!("/documents/{id}"), "corrected")),
        Err(trouble) => {
            // nobody types a set twice: what was written stays in the editor
            typed.problem = sentence(trouble)?;
            show_editor(&console, form.person, id, &asked, Some(typed)).await
        }
    }
}

/// `POST /documents/{id}/dismiss`
pub(crate) async fn dismiss_document(
    State(console): State<Console>,
    Path(id): Path<i64>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Ops)?;
    let reason = form.fields.required("reason", "The reason")?;
    workflow::documents::dismiss(
        console.gateway(),
        DocumentId(id),
        &reason,
        &form.person.name,
    )
    .await?;
    Ok(back(&format!("/documents/{id}"), "dismissed"))
}

/// `POST /documents/{id}/resend`: after the partner rejected it, under new control numbers.
pub(crate) async fn resend_document(
    State(console): State<Console>,
    Path(id): Path<i64>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Ops)?;
    let made =
        workflow::documents::resend(console.gateway(), DocumentId(id), &form.person.name).await?;
    Ok(back(&format!("/documents/{made}"), "resent"))
}

/// `POST /documents/{id}/redeliver`: the same bytes under the same name.
pub(crate) async fn redeliver_document(
    State(console): State<Console>,
    Path(id): Path<i64>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Ops)?;
    workflow::documents::redeliver(console.gateway(), DocumentId(id), &form.person.name).await?;
    Ok(back(&format!("/documents/{id}"), "redelivered"))
}

// ---- shipments -------------------------------------------------------------------------------------------------------

/// `POST /shipments/{id}/confirm`
pub(crate) async fn confirm_shipment(
    State(console): State<Console>,
    Path(id): Path<i64>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Ops)?;
    let text = |name: &str| form.fields.text(name).to_owned();
    let mut draft = Draft {
        carrier: text("carrier"),
        tracking: text("tracking"),
        reason: text("reason"),
        problem: String::new(),
    };
    let confirmation = Confirmation {
        shipment: Some(ShipmentId(id)),
        orders: Vec::new(),
        warehouse: String::new(),
        cartons: None,
        carrier: draft.carrier.clone(),
        tracking: draft.tracking.clone(),
        reason: Some(draft.reason.clone()).filter(|reason| !reason.is_empty()),
    };
    match workflow::shipments::confirm(console.gateway(), confirmation, &form.person.name).await {
        Ok(_) => Ok(back(&format!("/shipments/{id}"), "shipped")),
        Err(failure) => {
            draft.problem = sentence(failure.into())?;
            shipment_pages::show(&console, form.person, id, &Asked::default(), Some(draft)).await
        }
    }
}

// ---- payments --------------------------------------------------------------------------------------------------------

/// An amount as people write it: 1,234.50 or 1234.5. No more decimals than the currency has, never below zero.
fn amount(text: &str, currency: Currency, what: &str) -> Result<Amount, Trouble> {
    let plain = ungrouped(text.trim());
    let wrong = || {
        Trouble::refused(format!(
            "{what}: {text:?} is no amount in {currency}. Write it like 1234.50, with a point before the cents."
        ))
    };
    let value: Decimal = plain.ok_or_else(wrong)?.parse().map_err(|_| wrong())?;
    if value.normalize().scale() > currency.exponent() {
        return Err(wrong());
    }
    Amount::from_decimal(value, currency).map_err(|_| wrong())
}

/// Digits with a point at most, out of digits whose thousands may be set apart. A comma before anything but three digits
/// may be meant as a point, and nothing is guessed about money.
fn ungrouped(text: &str) -> Option<String> {
    let (whole, cents) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let between = whole.chars().find(|letter| !letter.is_ascii_digit());
    let mut groups = whole.split(|letter| Some(letter) == between);
    let first = groups.next()?;
    let set_apart = between.is_none_or(|mark| matches!(mark, ',' | ' ' | '\u{a0}' | '\''))
        && (between.is_none() || (1..=3).contains(&first.len()))
        && groups.all(|group| group.len() == 3 && digits(group));
    if !set_apart || !digits(first) || !digits(cents) || first.is_empty() {
        return None;
    }
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    Some(if text.contains('.') {
        format!("{whole}.{cents}")
    } else {
        whole
    })
}

/// Values of fields that stand beside each invoice of a form, by invoice number; the empty ones left out.
fn beside(fields: &Fields, name: &str) -> BTreeMap<String, String> {
    fields
        .all("invoice")
        .zip(fields.all(name))
        .filter(|(_, value)| !value.is_empty())
        .map(|(invoice, value)| (invoice.to_owned(), value.to_owned()))
        .collect()
}

/// Refuses a form that gives two values for one invoice: which of them is meant would be a guess.
fn once_each(fields: &Fields, name: &str) -> Result<(), Trouble> {
    let given: Vec<String> = fields
        .all("invoice")
        .zip(fields.all(name))
        .filter(|(_, value)| !value.is_empty())
        .map(|(invoice, _)| invoice.to_owned())
        .collect();
    match workflow::payments::named_twice(&given) {
        Some(twice) => Err(Trouble::refused(format!(
            "Invoice {twice} is named twice: give one amount for each invoice."
        ))),
        None => Ok(()),
    }
}

/// `POST /payments/{id}/apply`
pub(crate) async fn apply_payment(
    State(console): State<Console>,
    Path(id): Path<i64>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Ar)?;
    let filled = beside(&form.fields, "amount");
    let left = form.fields.text("left");
    let applied = match once_each(&form.fields, "amount") {
        Ok(()) => apply(&console, id, &filled, left, &form.person.name).await,
        Err(twice) => Err(twice),
    };
    match applied {
        Ok(()) => Ok(back(&format!("/payments/{id}"), "applied")),
        Err(trouble) => {
            let problem = sentence(trouble)?;
            payment_pages::show(
                &console,
                form.person,
                id,
                &Asked::default(),
                &filled,
                problem,
            )
            .await
        }
    }
}

async fn apply(
    console: &Console,
    id: i64,
    filled: &BTreeMap<String, String>,
    left: &str,
    actor: &str,
) -> Result<(), Trouble> {
    let payment = payments::one(&mut console.store().read().await?, id)
        .await?
        .ok_or(Trouble::NotFound("payment"))?;
    let currency: Currency = payment
        .currency
        .parse()
        .map_err(|_| Trouble::Broken(format!("payment {id} has no currency")))?;
    let mut to = Vec::new();
    for (invoice, text) in filled {
        let amount = amount(text, currency, invoice)?;
        if amount.is_positive() {
            to.push((invoice.clone(), amount));
        }
    }
    if to.is_empty() {
        return Err(Trouble::refused(
            "Say how much goes to which invoice: every amount is empty.",
        ));
    }
    let left = left
        .parse()
        .map(Amount)
        .map_err(|_| Trouble::refused("The form is incomplete; open the payment's page again."))?;
    workflow::payments::apply_unapplied(console.gateway(), PaymentId(id), to, Some(left), actor)
        .await?;
    Ok(())
}

/// `POST /payments`
pub(crate) async fn enter_payment(
    State(console): State<Console>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Ar)?;
    let text = |name: &str| form.fields.text(name).to_owned();
    let mut entry = Entry {
        partner: form.fields.text("partner").parse().ok(),
        reference: text("reference"),
        method: text("method"),
        amount: text("amount"),
        currency: text("currency").to_uppercase(),
        date: text("date"),
        mode: text("mode"),
        paid: beside(&form.fields, "paid"),
        taken: beside(&form.fields, "taken"),
        reasons: beside(&form.fields, "why"),
        problem: String::new(),
    };
    let entered = match once_each(&form.fields, "paid") {
        Ok(()) => enter(&console, &entry, &form.person.name).await,
        Err(twice) => Err(twice),
    };
    match entered {
        Ok(id) => Ok(back(&format!("/payments/{id}"), "paid")),
        Err(trouble) => {
            entry.problem = sentence(trouble)?;
            payment_pages::show_entry(&console, form.person, &Asked::default(), entry).await
        }
    }
}

async fn enter(console: &Console, entry: &Entry, actor: &str) -> Result<PaymentId, Trouble> {
    let partner = entry
        .partner
        .ok_or_else(|| Trouble::refused("Choose who paid."))?;
    if entry.reference.is_empty() {
        return Err(Trouble::refused(
            "Give the reference of the payment: its trace, cheque or transfer number.",
        ));
    }
    let currency: Currency = entry
        .currency
        .parse()
        .map_err(|error: crate::domain::money::NoCurrency| Trouble::refused(error.to_string()))?;
    let total = amount(&entry.amount, currency, "The amount")?;
    let date = entry.date.parse().map_err(|_| {
        Trouble::refused(format!(
            "{:?} is no date: write it like 2026-01-31.",
            entry.date
        ))
    })?;
    let mode: Mode = entry.mode.parse().map_err(Trouble::refused)?;
    let mut to = BTreeMap::new();
    for (invoice, text) in &entry.paid {
        to.insert(invoice.clone(), amount(text, currency, invoice)?);
    }
    for invoice in entry.taken.keys() {
        to.entry(invoice.clone()).or_insert(Amount::ZERO);
    }
    let applied: Vec<(String, Amount)> = to.into_iter().collect();
    let mut remittance = Remittance::by_hand(&entry.reference, date, currency, total, &applied);
    if !entry.method.is_empty() {
        remittance.method.clone_from(&entry.method);
    }
    for item in &mut remittance.items {
        let Some(text) = entry.taken.get(&item.reference) else {
            continue;
        };
        let reason = entry
            .reasons
            .get(&item.reference)
            .cloned()
            .unwrap_or_default();
        if reason.is_empty() {
            return Err(Trouble::refused(format!(
                "{}: choose the reason of the deduction.",
                item.reference
            )));
        }
        item.adjustments.push(RemittanceAdjustment {
            amount: amount(text, currency, &item.reference)?.negated(),
            reason,
            reference: String::new(),
            note: String::new(),
        });
    }
    Ok(workflow::payments::pay(
        console.gateway(),
        PartnerId(partner),
        mode,
        remittance,
        actor,
    )
    .await?)
}

// ---- deductions ------------------------------------------------------------------------------------------------------

/// `POST /deductions/{id}/{what}`
pub(crate) async fn settle_deduction(
    State(console): State<Console>,
    Path((id, what)): Path<(i64, String)>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Ar)?;
    let reason = form.fields.required("reason", "The reason")?;
    let (gateway, deduction, actor) = (
        console.gateway(),
        DeductionId(id),
        form.person.name.as_str(),
    );
    let done = match what.as_str() {
        "dispute" => {
            workflow::deductions::dispute(gateway, deduction, &reason, actor).await?;
            "disputed"
        }
        "recover" => {
            workflow::deductions::recover(gateway, deduction, &reason, actor).await?;
            "recovered"
        }
        "write-off" => {
            workflow::deductions::write_off(gateway, deduction, &reason, actor).await?;
            "written-off"
        }
        "accept" => {
            workflow::deductions::accept(gateway, deduction, &reason, actor).await?;
            "accepted"
        }
        _ => return Err(Trouble::NotFound("page")),
    };
    Ok(back(&format!("/deductions/{id}"), done))
}

// ---- partners --------------------------------------------------------------------------------------------------------

/// `POST /partners/{id}/profile`
pub(crate) async fn apply_profile(
    State(console): State<Console>,
    Path(id): Path<i64>,
    form: SignedForm,
) -> Result<Response, Trouble> {
    form.person.require(Role::Admin)?;
    // a form's line breaks are CR LF; the document's are LF
    let text = form.fields.raw("text").replace("\r\n", "\n");
    let text = format!("{}\n", text.trim_matches('\n'));
    match put_in_force(&console, id, &text, &form.person.name).await {
        Ok(()) => Ok(back(&format!("/partners/{id}"), "profile")),
        Err(trouble) => {
            let problem = sentence(trouble)?;
            partner_pages::show_editor(
                &console,
                form.person,
                id,
                &Asked::default(),
                Some(text),
                problem,
            )
            .await
        }
    }
}

async fn put_in_force(console: &Console, id: i64, text: &str, actor: &str) -> Result<(), Trouble> {
    let partner = partners::one(&mut console.store().read().await?, id)
        .await?
        .ok_or(Trouble::NotFound("partner"))?;
    let profile = Profile::parse(text).map_err(|refusal| Trouble::refused(refusal.to_string()))?;
    if profile.partner != partner.code {
        return Err(Trouble::refused(format!(
            "This is the profile of {}, and the text names the partner {:?}. A partner keeps its short name; a new one is made with `supercargo partner apply`.",
            partner.code, profile.partner
        )));
    }
    workflow::partners::apply(console.gateway(), text, actor).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let usd = Currency::USD;
        for (text, minor) in [
            ("1234.50", 123_450),
            ("1,234.5", 123_450),
            (" 7 ", 700),
            ("0.07", 7),
            ("12.500", 1_250),
            ("1,234,567.80", 123_456_780),
            ("1 234", 123_400),
            ("12'345.6", 1_234_560),
            ("7.", 700),
        ] {
            assert_eq!(amount(text, usd, "x").unwrap(), Amount(minor), "{text}");
        }
        for text in [
            "",
            "-1",
            "1.234",
            "abc",
            "1e9",
            "=1+1",
            "99999999999999999999999",
            "12,50",
            "1,5",
            ",5",
            ".5",
            "1,00,0",
            "1000,000",
            "100'00",
            "1,234'567",
            "1.234,50",
            "1,234.5.6",
        ] {
            assert!(amount(text, usd, "x").is_err(), "{text}");
        }
        let yen: Currency = "JPY".parse().unwrap();
        assert!(amount("1.5", yen, "x").is_err());
    }
}
