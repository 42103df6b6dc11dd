//! `invoice list` and `invoice show`.

use std::process::ExitCode;

use rust_decimal::Decimal;

use crate::cli::listing::{Paging, Shape, facts, minute, missing, partner, show, with_mode};
use crate::cli::table::Table;
use crate::cli::{CliResult, Options, house, print};
use crate::domain::ids::OrderId;
use crate::domain::order::{ChargeKind, Mode};
use crate::storage::listing::invoices::{
    InvoiceDetail, InvoiceFilter, InvoiceListing, invoice, invoices,
};

/// Invoices and credits.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List invoices and credits, newest first
    List(List),
    /// Show one with its lines, payments, deductions and timeline
    Show {
        /// Invoice number
        #[arg(value_name = "INVOICE-NUMBER")]
        number: String,
    },
}

/// Which invoices.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Owed by this partner
    #[arg(long)]
    partner: Option<String>,
    /// open, partially_paid, paid or written_off
    #[arg(long, value_parser = ["open", "partially_paid", "paid", "written_off"])]
    status: Option<String>,
    /// invoice or credit
    #[arg(long, value_parser = ["invoice", "credit"])]
    kind: Option<String>,
    /// production or test
    #[arg(long)]
    mode: Option<Mode>,
    /// Of this PO
    #[arg(long)]
    po: Option<String>,
    /// Of this order
    #[arg(long)]
    order: Option<OrderId>,
    /// Only what is overdue
    #[arg(long)]
    overdue: bool,
    #[command(flatten)]
    paging: Paging,
}

const SHAPE: Shape<InvoiceListing> = Shape {
    what: "invoices",
    titles: &[
        "INVOICE",
        "PARTNER",
        "PO NUMBER",
        "STATUS",
        "DUE",
        ">TOTAL",
        ">OPEN",
        ">DISPUTED",
        "CUR",
        "OVERDUE",
    ],
    row: |invoice| {
        vec![
            invoice.invoice_number.clone(),
            invoice.partner.clone(),
            invoice.po_numbers.join(" "),
            if invoice.kind == "credit" {
                with_mode(&format!("credit, {}", invoice.status), &invoice.mode)
            } else {
                with_mode(&invoice.status, &invoice.mode)
            },
            invoice.due_date.to_string(),
            invoice.total.clone(),
            invoice.open_amount.clone(),
            invoice.disputed_amount.clone(),
            invoice.currency.clone(),
            if invoice.overdue {
                format!("{} d", invoice.days_overdue)
            } else {
                String::new()
            },
        ]
    },
    below: None,
    cursor: Some(|invoice| Some(invoice.id.0)),
};

/// Runs it.
pub async fn run(options: &Options, command: Command) -> CliResult {
    match command {
        Command::List(args) => list(options, args).await,
        Command::Show { number } => show_one(options, &number).await,
    }
}

async fn list(options: &Options, args: List) -> CliResult {
    let gateway = house::open(options).await?;
    let today = house::today(&gateway);
    let mut connection = gateway.store.read().await?;
    let mut filter = InvoiceFilter {
        partner: partner(&mut connection, args.partner.as_deref()).await?,
        status: args.status,
        kind: args.kind,
        mode: args.mode,
        po_number: args.po,
        order: args.order,
        overdue: args.overdue,
        ..InvoiceFilter::default()
    };
    show(options, &args.paging, &SHAPE, async |page| {
        filter.page = page;
        invoices(&mut connection, &filter, today).await
    })
    .await
}

async fn show_one(options: &Options, number: &str) -> CliResult {
    let gateway = house::open(options).await?;
    let (now, today) = (gateway.now(), house::today(&gateway));
    let found = invoice(&mut gateway.store.read().await?, number, now, today).await?;
    let detail = found.ok_or_else(|| missing("invoice", &number, "invoice list"))?;
    if options.json {
        print::json(&detail)?;
    } else {
        print::text(&told(&detail))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Allowances and charges of lines and of the whole; nothing where there are none.
fn charges(detail: &InvoiceDetail) -> String {
    let mut table = Table::new(&["ON", "WHAT", "CODE", "DESCRIPTION", ">AMOUNT"]);
    let of_lines = detail.lines.iter().flat_map(|line| {
        let on = format!("line {}", line.line);
        line.charges.iter().map(move |charge| (on.clone(), charge))
    });
    let of_all = detail
        .charges
        .iter()
        .map(|charge| ("the whole".to_owned(), charge));
    let mut any = false;
    for (on, charge) in of_lines.chain(of_all) {
        any = true;
        let (what, sign) = match charge.kind {
            ChargeKind::Allowance => ("allowance", "-"),
            ChargeKind::Charge => ("charge", ""),
            ChargeKind::Information => ("information", ""),
        };
        table.row(vec![
            on,
            if charge.in_total {
                what.to_owned()
            } else {
                format!("{what}, not in the total")
            },
            charge.code.clone(),
            charge.description.clone(),
            format!("{sign}{}", charge.amount),
        ]);
    }
    if any {
        format!("{}\n", table.render())
    } else {
        String::new()
    }
}

fn is_zero(amount: &str) -> bool {
    amount.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

/// The discounts that were granted on what was paid; empty where there are none.
fn discount_taken(detail: &InvoiceDetail) -> String {
    let taken: Decimal = detail
        .payments
        .iter()
        .filter_map(|payment| payment.discount_amount.parse::<Decimal>().ok())
        .sum();
    if taken.is_zero() {
        String::new()
    } else {
        format!("{taken} {}", detail.listing.currency)
    }
}

fn told(detail: &InvoiceDetail) -> String {
    let invoice = &detail.listing;
    let money = |amount: &str| format!("{amount} {}", invoice.currency);
    let overdue = if invoice.overdue {
        format!(", {} days overdue", invoice.days_overdue)
    } else {
        String::new()
    };
    let mut text = facts(&[
        (invoice.kind.as_str(), invoice.invoice_number.clone()),
        ("partner", invoice.partner.clone()),
        ("mode", invoice.mode.clone()),
        ("PO number", invoice.po_numbers.join(", ")),
        ("orders", invoice.orders.join(", ")),
        ("shipments", detail.shipments.join(", ")),
        ("store", detail.store.clone()),
        ("status", format!("{}{overdue}", invoice.status)),
        ("date", invoice.date.to_string()),
        ("due", invoice.due_date.to_string()),
        ("total", money(&invoice.total)),
        ("open", money(&invoice.open_amount)),
        ("disputed", money(&invoice.disputed_amount)),
        (
            "discount",
            match invoice.discount_until {
                Some(until) if !is_zero(&invoice.discount_amount) => {
                    format!("{} until {until}", money(&invoice.discount_amount))
                }
                _ => String::new(),
            },
        ),
        ("discount taken", discount_taken(detail)),
        (
            "written off",
            if is_zero(&invoice.written_off_amount) {
                String::new()
            } else {
                money(&invoice.written_off_amount)
            },
        ),
    ]);
    text.push('\n');
    let mut lines = Table::new(&[
        ">LINE",
        "ITEM",
        "DESCRIPTION",
        ">QUANTITY",
        "UNIT",
        ">PRICE",
        ">AMOUNT",
    ]);
    for line in &detail.lines {
        lines.row(vec![
            line.line.to_string(),
            line.item.clone(),
            line.description.clone(),
            line.quantity.clone(),
            line.unit.clone(),
            line.unit_price.clone(),
            line.extension.clone(),
        ]);
    }
    text.push_str(&lines.render());
    text.push('\n');
    text.push_str(&charges(detail));
    let mut timeline = Table::new(&["WHEN (UTC)", "WHAT", "DETAIL"]);
    for entry in &detail.timeline {
        timeline.row(vec![
            minute(entry.at),
            entry.event.replace('_', " "),
            entry.detail.clone(),
        ]);
    }
    text.push_str(&timeline.render());
    text
}
