//! Every listing of the command line, as it is asked for there: a thousand rows at most, as JSON.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use serde::Serialize;
use supercargo::domain::document::{Delivery, Direction, Disposition, Syntax};
use supercargo::domain::ids::{OrderId, PartnerId};
use supercargo::domain::order::Mode;
use supercargo::storage::listing::{
    Page, alerts, audit, documents, files, gauges, health, invoices, items, locations, mail,
    mailboxes, orders, overview, partners, prices, receivables, shipments, stock, users,
    warehouses, work,
};
use supercargo::storage::{Connection, Failure};
use supercargo::workflow::{COMPANY, Gateway};

use super::Outcome;

/// Rows that the command line reads at once.
const ROWS: u32 = 1_000;
/// Everybody's rows, those of a partner with a fifth of them, and those of one that has none.
const PARTNERS: [Option<PartnerId>; 3] = [None, Some(PartnerId(1)), Some(PartnerId(6))];

type Asked<'a> = BoxFuture<'a, Result<String, Failure>>;
type Ask = Box<dyn for<'a> Fn(&'a mut Connection) -> Asked<'a> + Send + Sync>;

/// A listing and what it is called.
pub struct Listing {
    /// As one writes it at the command line.
    pub name: String,
    ask: Ask,
}

impl Listing {
    /// How long it takes until its JSON is there.
    pub async fn take(&self, gateway: &Gateway) -> Outcome<Duration> {
        let began = Instant::now();
        let mut connection = gateway.store.read().await?;
        (self.ask)(&mut connection).await?;
        Ok(began.elapsed())
    }
}

fn json<T: Serialize>(rows: &T) -> String {
    serde_json::to_string_pretty(rows).unwrap_or_default()
}

macro_rules! listing {
    ($list:ident, $name:expr, |$connection:ident| $rows:expr) => {
        $list.push(Listing {
            name: $name.to_string(),
            ask: Box::new(move |$connection: &mut Connection| {
                let asked = $rows;
                Box::pin(async move { Ok(json(&asked.await?)) })
            }),
        })
    };
}

/// Every listing with its filters.
pub fn listings(gateway: &Gateway, middle: i64) -> Vec<Listing> {
    let now = gateway.now();
    let today = now.date_naive();
    let page = Page::first(ROWS);
    let mut list = Vec::new();
    orders_of(&mut list, page, middle);
    documents_of(&mut list, gateway, page);
    goods_of(&mut list, page);
    money_of(&mut list, gateway, page);
    for partner in PARTNERS {
        for disposition in [
            None,
            Some(Disposition::Held),
            Some(Disposition::Rejected),
            Some(Disposition::Processed),
        ] {
            listing!(
                list,
                format!("file list {partner:?} {disposition:?}"),
                |connection| async move {
                    let filter = files::FileFilter {
                        partner,
                        disposition,
                        page,
                        ..Default::default()
                    };
                    files::files(connection, &filter).await
                }
            );
        }
        for state in [
            None,
            Some("queued"),
            Some("delivered"),
            Some("picked_up"),
            Some("failed"),
        ] {
            listing!(
                list,
                format!("file list --out {partner:?} {state:?}"),
                |connection| async move {
                    let filter = files::TransmissionFilter {
                        partner,
                        state: state.map(str::to_owned),
                        page,
                    };
                    files::transmissions(connection, &filter).await
                }
            );
        }
        for (open, kind) in [
            (true, None),
            (false, None),
            (false, Some("order-held")),
            (true, Some("order-held")),
        ] {
            listing!(
                list,
                format!("alert list open={open} {partner:?} {kind:?}"),
                |connection| async move {
                    let filter = alerts::AlertFilter {
                        open,
                        partner,
                        kind: kind.map(str::to_owned),
                        page,
                        ..Default::default()
                    };
                    alerts::alerts(connection, &filter).await
                }
            );
        }
    }
    for subject in [None, Some(("order", middle))] {
        listing!(list, format!("audit list {subject:?}"), |connection| {
            audit::audit(connection, subject, page)
        });
    }
    for unsent in [true, false] {
        listing!(list, format!("mail list unsent={unsent}"), |connection| {
            mail::mail(connection, unsent, page)
        });
    }
    for failed in [true, false] {
        listing!(list, format!("work failed={failed}"), |connection| {
            work::work(connection, failed, page)
        });
    }
    listing!(list, "partner list", |connection| partners::partners(
        connection, None, page
    ));
    listing!(list, "mailbox list", |connection| mailboxes::mailboxes(
        connection
    ));
    listing!(list, "user list", |connection| users::users(connection));
    listing!(list, "warehouse list", |connection| warehouses::warehouses(
        connection, COMPANY
    ));
    listing!(list, "overview", |connection| overview::overview(
        connection,
        Mode::Production,
        now,
        today
    ));
    listing!(list, "doctor", |connection| async move {
        health::look(connection, COMPANY, now, page)
            .await
            .map(|health| format!("{health:?}"))
    });
    listing!(list, "gauges", |connection| async move {
        gauges::backlog(connection, now).await?;
        gauges::alerts(connection).await?;
        gauges::lying(connection).await.map(|lying| lying.len())
    });
    list
}

fn orders_of(list: &mut Vec<Listing>, page: Page, middle: i64) {
    for partner in PARTNERS {
        for status in [
            None,
            Some("held"),
            Some("backordered"),
            Some("invoiced"),
            Some("cancelled"),
        ] {
            for mode in [None, Some(Mode::Test)] {
                listing!(
                    list,
                    format!("order list {partner:?} {status:?} {mode:?}"),
                    |connection| async move {
                        let filter = orders::OrderFilter {
                            partner,
                            status: status.map(str::to_owned),
                            mode,
                            page,
                            ..Default::default()
                        };
                        orders::orders(connection, &filter).await
                    }
                );
            }
        }
    }
    listing!(list, "order list, the last page", |connection| async move {
        let filter = orders::OrderFilter {
            page: page.before(1_001),
            ..Default::default()
        };
        orders::orders(connection, &filter).await
    });
    listing!(list, "order list --po", |connection| async move {
        let filter = orders::OrderFilter {
            po_number: Some("QZ000007-00003".to_owned()),
            page,
            ..Default::default()
        };
        orders::orders(connection, &filter).await
    });
    listing!(list, "order show", |connection| orders::order(
        connection,
        OrderId(middle)
    ));
}

fn documents_of(list: &mut Vec<Listing>, gateway: &Gateway, page: Page) {
    let now = gateway.now();
    type Filter = documents::DocumentFilter;
    let plain = Filter {
        page,
        ..Default::default()
    };
    let mut filters: Vec<(&str, Filter)> = vec![
        ("", plain.clone()),
        (
            "--in",
            Filter {
                direction: Some(Direction::In),
                ..plain.clone()
            },
        ),
        (
            "--out",
            Filter {
                direction: Some(Direction::Out),
                ..plain.clone()
            },
        ),
        (
            "--mode test",
            Filter {
                mode: Some(Mode::Test),
                ..plain.clone()
            },
        ),
        (
            "--overdue",
            Filter {
                overdue: true,
                ..plain.clone()
            },
        ),
    ];
    for set in ["850", "997", "820", "860"] {
        filters.push((
            set,
            Filter {
                set: Some(set.to_owned()),
                ..plain.clone()
            },
        ));
    }
    for disposition in [
        Disposition::Held,
        Disposition::Rejected,
        Disposition::Duplicate,
    ] {
        filters.push((
            disposition.word(),
            Filter {
                disposition: Some(disposition),
                ..plain.clone()
            },
        ));
    }
    for delivery in [
        Delivery::Held,
        Delivery::Queued,
        Delivery::Delivered,
        Delivery::Uncertain,
    ] {
        filters.push((
            delivery.word(),
            Filter {
                delivery: Some(delivery),
                ..plain.clone()
            },
        ));
    }
    for syntax in [Syntax::Pending, Syntax::Rejected, Syntax::Accepted] {
        filters.push((
            syntax.word(),
            Filter {
                syntax: Some(syntax),
                ..plain.clone()
            },
        ));
    }
    for (name, filter) in filters {
        for partner in PARTNERS {
            let filter = Filter {
                partner,
                ..filter.clone()
            };
            listing!(
                list,
                format!("document list {partner:?} {name}"),
                |connection| {
                    let filter = filter.clone();
                    async move { documents::documents(connection, &filter, now).await }
                }
            );
        }
    }
    listing!(list, "document list --file", |connection| async move {
        let filter = Filter {
            file: Some(7),
            page,
            ..Default::default()
        };
        documents::documents(connection, &filter, now).await
    });
    listing!(list, "document list --subject", |connection| async move {
        let filter = Filter {
            subject: Some(("order".to_owned(), 7)),
            page,
            ..Default::default()
        };
        documents::documents(connection, &filter, now).await
    });
}

fn goods_of(list: &mut Vec<Listing>, page: Page) {
    for partner in PARTNERS {
        for status in [None, Some("planned"), Some("shipped"), Some("cancelled")] {
            for warehouse in [None, Some("WEST")] {
                listing!(
                    list,
                    format!("shipment list {partner:?} {status:?} {warehouse:?}"),
                    |connection| async move {
                        let filter = shipments::ShipmentFilter {
                            partner,
                            status: status.map(str::to_owned),
                            warehouse: warehouse.map(str::to_owned),
                            page,
                            ..Default::default()
                        };
                        shipments::shipments(connection, &filter).await
                    }
                );
            }
        }
    }
    listing!(list, "item list", |connection| async move {
        items::items(
            connection,
            COMPANY,
            &items::ItemFilter {
                page,
                ..Default::default()
            },
        )
        .await
    });
    listing!(list, "items without price", |connection| {
        items::items_without_price(connection, COMPANY, page)
    });
    listing!(list, "price list", |connection| async move {
        prices::prices(
            connection,
            COMPANY,
            &prices::PriceFilter {
                page,
                ..Default::default()
            },
        )
        .await
    });
    listing!(list, "location list", |connection| locations::locations(
        connection,
        Some(PartnerId(1)),
        page
    ));
    listing!(list, "stock list", |connection| async move {
        stock::stock(
            connection,
            COMPANY,
            &stock::StockFilter {
                page,
                ..Default::default()
            },
        )
        .await
    });
}

fn money_of(list: &mut Vec<Listing>, gateway: &Gateway, page: Page) {
    let (now, today) = (gateway.now(), gateway.now().date_naive());
    for partner in PARTNERS {
        for (status, overdue) in [
            (None, false),
            (None, true),
            (Some("open"), false),
            (Some("partially_paid"), false),
            (Some("paid"), false),
            (Some("written_off"), false),
        ] {
            listing!(
                list,
                format!("invoice list {partner:?} {status:?} overdue={overdue}"),
                |connection| async move {
                    let filter = invoices::InvoiceFilter {
                        partner,
                        status: status.map(str::to_owned),
                        overdue,
                        page,
                        ..Default::default()
                    };
                    invoices::invoices(connection, &filter, today).await
                }
            );
        }
        for status in [None, Some("applied"), Some("unapplied"), Some("held")] {
            listing!(
                list,
                format!("payment list {partner:?} {status:?}"),
                |connection| async move {
                    let filter = receivables::PaymentFilter {
                        partner,
                        status: status.map(str::to_owned),
                        page,
                        ..Default::default()
                    };
                    receivables::payments(connection, &filter).await
                }
            );
        }
        for status in [None, Some("open"), Some("written_off")] {
            listing!(
                list,
                format!("deduction list {partner:?} {status:?}"),
                |connection| async move {
                    let filter = receivables::DeductionFilter {
                        partner,
                        status: status.map(str::to_owned),
                        page,
                        ..Default::default()
                    };
                    receivables::deductions(connection, &filter).await
                }
            );
        }
        listing!(list, format!("receivables {partner:?}"), |connection| {
            receivables::aging(connection, Mode::Production, partner, today)
        });
    }
    listing!(
        list,
        "invoice list --kind credit",
        |connection| async move {
            let filter = invoices::InvoiceFilter {
                kind: Some("credit".to_owned()),
                page,
                ..Default::default()
            };
            invoices::invoices(connection, &filter, today).await
        }
    );
    listing!(list, "invoice list --po", |connection| async move {
        let filter = invoices::InvoiceFilter {
            po_number: Some("QZ000007-00003".to_owned()),
            page,
            ..Default::default()
        };
        invoices::invoices(connection, &filter, today).await
    });
    listing!(list, "invoice show", |connection| invoices::invoice(
        connection, "10001", now, today
    ));
}
