//! Work that keeps failing, on both databases: a person is told what to do, and no longer than it lasts.

use supercargo::storage::Class;

use crate::orders::{buyer, interchange, on_both, sent};
use crate::thread::House;

/// What is told of stuck work, open alerts alone.
async fn told(house: &House) -> Vec<String> {
    house
        .lines("SELECT message FROM alert WHERE kind = 'work-stuck' AND cleared_at IS NULL")
        .await
}

async fn rename(house: &House, sql: &'static str) {
    house
        .gateway
        .store
        .write(Class::Ordinary, move |connection| {
            Box::pin(async move { connection.execute(sql, vec![]).await })
        })
        .await
        .unwrap();
}

async fn stuck_work_is_told_until_it_goes_on(house: House) {
    buyer(&house, "[allocation]\nwarehouses = [\"EAST\"]").await;
    rename(&house, "ALTER TABLE label_run RENAME TO label_run_away").await;
    let order = "BEG*00*SA*STUCK-1**20260105~N1*ST*SHOP*92*S1~PO1*1*2*EA*10**VN*HW-1001~CTT*1";
    house.submit("stuck.edi", &interchange(1, order)).await;
    assert_eq!(sent(&house, "855").await.len(), 0);
    house.advance(1).await;
    house.advance(1).await;
    assert_eq!(told(&house).await.len(), 0, "three failures may pass");
    house.advance(1).await;
    house.advance(1).await;
    let alerts = told(&house).await;
    assert_eq!(alerts.len(), 1, "it is told once: {alerts:?}");
    for words in ["`allocate`", "label_run", "What to do: ", "30 minutes"] {
        assert!(alerts[0].contains(words), "{words} in {}", alerts[0]);
    }

    rename(&house, "ALTER TABLE label_run_away RENAME TO label_run").await;
    house.advance(1).await;
    assert_eq!(sent(&house, "855").await.len(), 1, "it went on by itself");
    assert_eq!(told(&house).await.len(), 0, "and nobody is told any more");
    house.prove().await;
}
on_both!(stuck_work_is_told_until_it_goes_on);
