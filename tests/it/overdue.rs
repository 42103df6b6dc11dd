//! What does not come or leave in time, on both databases: receipts, ship windows, backorders.

use supercargo::workflow::{orders, receipts};

use crate::orders::{
    buyer, interchange, load_stock, nothing_is_held, number, on_both, segments, sent, settle,
};
use crate::thread::House;

/// How many alerts of a kind are open.
async fn open(house: &House, kind: &str) -> usize {
    house
        .lines(&format!(
            "SELECT message FROM alert WHERE kind = '{kind}' AND cleared_at IS NULL"
        ))
        .await
        .len()
}

/// What the last 855 says of the lines, and how many were sent.
async fn answers(house: &House) -> (usize, String) {
    let texts = sent(house, "855").await;
    let last = texts.last().unwrap();
    (texts.len(), segments(last, "ACK").join(" "))
}

/// Loads rows of a stock list.
async fn list(house: &House, rows: &str) {
    let text = format!("warehouse,item,quantity,expected_on\n{rows}");
    load_stock(house, &text).await;
}

async fn look(house: &House) -> usize {
    let seen = receipts::overdue(&house.gateway).await.unwrap();
    settle(house).await;
    house.prove().await;
    seen
}

/// A receipt that does not come is told of once, keeps its promises over the days for which it is believed, and gives them
/// up then to those who can use what is there; a count, or another day, takes the alert off the list.
async fn receipts_that_do_not_come(house: House) {
    buyer(
        &house,
        "[allocation]\nwarehouses = [\"WEST\"]\nship_complete = true",
    )
    .await;
    let set_aside = "SELECT CAST(SUM(set_aside / 10000) AS TEXT) FROM stock";
    let told = async || {
        house
            .lines(
                "SELECT message FROM alert WHERE kind = 'receipt-overdue' AND cleared_at IS NULL",
            )
            .await
            .join("\n")
    };
    list(&house, "WEST,HW-1001,4,\nWEST,HW-1001,4,2026-01-08\n").await;
    let order = |po: &str, units: u32| {
        format!("BEG*00*SA*{po}**20260105~N1*ST*SHOP*92*S1~PO1*1*{units}*EA*10**VN*HW-1001~CTT*1")
    };
    house
        .submit("late.edi", &interchange(1, &order("LATE-1", 6)))
        .await;
    assert_eq!(
        answers(&house).await,
        (1, "ACK*IB*6*EA*068*20260108".into())
    );
    house
        .submit("next.edi", &interchange(2, &order("NEXT-1", 4)))
        .await;
    assert_eq!(answers(&house).await, (2, "ACK*IB*4*EA".into()));
    assert_eq!(look(&house).await, 0, "it is not overdue yet");

    house.advance(5).await;
    assert_eq!(look(&house).await, 1);
    assert_eq!(look(&house).await, 0, "it is told once");
    assert_eq!(open(&house, "receipt-overdue").await, 1);
    assert_eq!(answers(&house).await.0, 2, "it is believed still");
    assert_eq!(house.lines(set_aside).await, ["4"]);

    // Announced anew it is not overdue, and the buyer is told the day.
    list(
        &house,
        "WEST,HW-1001,0,2026-01-08\nWEST,HW-1001,4,2026-01-12\n",
    )
    .await;
    assert_eq!(open(&house, "receipt-overdue").await, 0);
    assert_eq!(
        answers(&house).await,
        (3, "ACK*IB*6*EA*068*20260112".into())
    );

    house.advance(3).await;
    assert_eq!(look(&house).await, 1);
    assert!(
        told().await.contains("have not been counted: "),
        "{}",
        told().await
    );
    assert_eq!(house.lines(set_aside).await, ["4"]);
    house.advance(4).await;
    assert_eq!(look(&house).await, 1, "given up");
    assert_eq!(open(&house, "receipt-overdue").await, 1);
    assert!(
        told().await.contains("are expected no longer"),
        "{}",
        told().await
    );
    let texts = sent(&house, "855").await;
    let of = |po: &str| {
        let last = texts.iter().rfind(|text| text.contains(po)).unwrap();
        segments(last, "ACK").join(" ")
    };
    assert_eq!(texts.len(), 5);
    assert_eq!(of("*LATE-1*"), "ACK*IB*6*EA");
    assert_eq!(
        of("*NEXT-1*"),
        "ACK*IA*4*EA*068*20260117",
        "what was set aside is free"
    );
    assert_eq!(house.lines(set_aside).await, ["0"]);
    assert_eq!(look(&house).await, 0);

    // Two of it are there, and two are still to come, on the day that has passed: nobody believes that for long.
    list(&house, "WEST,HW-1001,6,\nWEST,HW-1001,4,2026-01-17\n").await;
    assert_eq!(open(&house, "receipt-overdue").await, 0);
    assert_eq!(
        answers(&house).await,
        (6, "ACK*IB*6*EA*068*20260117".into())
    );
    house.advance(2).await;
    assert_eq!(look(&house).await, 1);
    list(&house, "WEST,HW-1001,7,\nWEST,HW-1001,3,2026-01-17\n").await;
    assert_eq!(open(&house, "receipt-overdue").await, 0);
    *house.clock.0.lock().unwrap() += chrono::Duration::seconds(1);
    assert_eq!(look(&house).await, 1, "the rest is told again");
    assert_eq!(open(&house, "receipt-overdue").await, 1);

    list(&house, "WEST,HW-1001,10,\n").await;
    assert_eq!(open(&house, "receipt-overdue").await, 0);
    assert!(answers(&house).await.1.starts_with("ACK*IA*6*EA"));
    nothing_is_held(&house).await;
}
on_both!(receipts_that_do_not_come);

/// A day that has passed is not followed by one that nobody has told us: no 855 is sent, and nothing more is promised of
/// that receipt. Of what is late only the last word stands.
async fn no_day_is_invented(house: House) {
    buyer(&house, "[allocation]\nwarehouses = [\"WEST\"]").await;
    let order = |po: &str| {
        format!(
            "BEG*00*SA*{po}**20260105~DTM*038*20260110~N1*ST*SHOP*92*S1~PO1*1*6*EA*10**VN*HW-1001~CTT*1"
        )
    };
    list(&house, "WEST,HW-1001,0,\nWEST,HW-1001,9,2026-01-09\n").await;
    house
        .submit("a.edi", &interchange(1, &order("DAY-A")))
        .await;
    assert_eq!(
        answers(&house).await,
        (1, "ACK*IB*6*EA*068*20260109".into())
    );
    assert_eq!(open(&house, "backorder-late").await, 0);
    house.advance(6).await;
    assert_eq!(look(&house).await, 1);
    assert_eq!(answers(&house).await.0, 1, "nobody knows another day");
    assert_eq!(open(&house, "backorder-late").await, 1);
    let later = "BEG*00*SA*DAY-B**20260105~N1*ST*SHOP*92*S1~PO1*1*3*EA*10**VN*HW-1001~CTT*1";
    house.submit("b.edi", &interchange(2, later)).await;
    assert_eq!(answers(&house).await, (2, "ACK*IB*3*EA".into()));

    for (day, sent) in [("2026-01-20", 4), ("2026-01-22", 6), ("2026-01-20", 8)] {
        let others: String = ["2026-01-09", "2026-01-20", "2026-01-22"]
            .iter()
            .filter(|other| **other != day)
            .map(|other| format!("WEST,HW-1001,0,{other}\n"))
            .collect();
        list(&house, &format!("{others}WEST,HW-1001,9,{day}\n")).await;
        assert_eq!(answers(&house).await.0, sent, "{day}");
        let told = "SELECT message FROM alert WHERE kind = 'backorder-late' AND cleared_at IS NULL";
        let told = house.lines(told).await;
        assert!(told.len() == 1 && told[0].contains(day), "{told:?}");
    }
    nothing_is_held(&house).await;
}
on_both!(no_day_is_invented);

/// Where a person confirms, a shipment that has not left by its last day is told of too.
async fn windows_that_close(house: House) {
    buyer(&house, "[allocation]\nwarehouses = [\"WEST\"]").await;
    let order = "BEG*00*SA*CLOSE-1**20260105~DTM*037*20260106~DTM*038*20260108~N1*ST*SHOP*92*S1~PO1*1*6*EA*10**VN*HW-1001~CTT*1";
    house.submit("close.edi", &interchange(1, order)).await;
    house.advance(3).await;
    assert_eq!(open(&house, "ship-window-closed").await, 0);
    house.advance(1).await;
    house.advance(1).await;
    assert_eq!(open(&house, "ship-window-closed").await, 1);
    house.prove().await;
    orders::cancel(&house.gateway, number(&house).await, "too late", "test")
        .await
        .unwrap();
    settle(&house).await;
    assert_eq!(open(&house, "ship-window-closed").await, 0);
    nothing_is_held(&house).await;
}
on_both!(windows_that_close);

/// Two orders on one shipment leave by the earlier of their last days; where that order is cancelled, by the other's.
async fn a_window_that_opens_again(house: House) {
    buyer(
        &house,
        "[allocation]\nwarehouses = [\"WEST\"]\n[packing]\nconsolidate = true",
    )
    .await;
    for (n, po, last) in [(1, "LONG-1", "20260116"), (2, "SHORT-1", "20260108")] {
        let order = format!(
            "BEG*00*SA*{po}**20260105~DTM*037*20260106~DTM*038*{last}~N1*ST*SHOP*92*S1~PO1*1*6*EA*10**VN*HW-1001~CTT*1"
        );
        house.submit("together.edi", &interchange(n, &order)).await;
    }
    let last = "SELECT body FROM shipment WHERE status = 'planned'";
    let planned = house.lines(last).await;
    assert!(
        planned.len() == 1 && planned[0].contains("2026-01-08"),
        "{planned:?}"
    );
    orders::cancel(&house.gateway, number(&house).await, "not wanted", "test")
        .await
        .unwrap();
    let planned = house.lines(last).await;
    assert!(
        planned.len() == 1 && planned[0].contains("2026-01-16"),
        "{planned:?}"
    );
    house.advance(6).await;
    assert_eq!(open(&house, "ship-window-closed").await, 0);
    house.prove().await;
    house.advance(7).await;
    assert_eq!(open(&house, "ship-window-closed").await, 1);
    nothing_is_held(&house).await;
}
on_both!(a_window_that_opens_again);

/// What waits beyond its last day is told of: at once where its day shows it, else when the day has passed. What can come
/// earlier is promised for the earlier day.
async fn backorders_that_are_late(house: House) {
    buyer(&house, "[allocation]\nwarehouses = [\"WEST\"]").await;
    let order = |po: &str| {
        format!(
            "BEG*00*SA*{po}**20260105~DTM*038*20260110~N1*ST*SHOP*92*S1~PO1*1*6*EA*10**VN*HW-1001~CTT*1"
        )
    };
    list(&house, "WEST,HW-1001,0,\nWEST,HW-1001,6,2026-01-20\n").await;
    house
        .submit("a.edi", &interchange(1, &order("WAIT-A")))
        .await;
    assert_eq!(
        answers(&house).await,
        (1, "ACK*IB*6*EA*068*20260120".into())
    );
    assert_eq!(open(&house, "backorder-late").await, 1);

    list(&house, "WEST,HW-1001,5,2026-01-07\n").await;
    assert_eq!(
        answers(&house).await.0,
        1,
        "five do not make the six come earlier"
    );
    list(&house, "WEST,HW-1001,6,2026-01-07\n").await;
    assert_eq!(
        answers(&house).await,
        (2, "ACK*IB*6*EA*068*20260107".into())
    );
    assert_eq!(open(&house, "backorder-late").await, 0);
    let promised = "SELECT on_date || ' ' || (promised / 10000) FROM expected_receipt r JOIN item i ON i.id = r.item_id
                    WHERE i.code = 'HW-1001' AND on_date BETWEEN '2026-01-06' AND '2026-01-20' ORDER BY on_date";
    assert_eq!(
        house.lines(promised).await,
        ["2026-01-07 6", "2026-01-20 0"]
    );
    house.prove().await;

    // Nobody knows when this one's goods come, until its last day has passed.
    list(&house, "WEST,HW-1001,0,2026-01-20\n").await;
    house
        .submit("b.edi", &interchange(2, &order("WAIT-B")))
        .await;
    assert_eq!(answers(&house).await, (3, "ACK*IB*6*EA".into()));
    assert_eq!(open(&house, "backorder-late").await, 0);
    list(&house, "WEST,HW-1001,6,\nWEST,HW-1001,0,2026-01-07\n").await;
    assert_eq!(open(&house, "backorder-late").await, 0);
    house.advance(6).await;
    assert_eq!(open(&house, "backorder-late").await, 1);
    orders::cancel(&house.gateway, number(&house).await, "too late", "test")
        .await
        .unwrap();
    settle(&house).await;
    assert_eq!(open(&house, "backorder-late").await, 0);
    nothing_is_held(&house).await;
}
on_both!(backorders_that_are_late);
