//! What hangs holds up nothing else, is said once, and is gone on with when something comes.

use std::collections::BTreeSet;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::{PATIENCE, Readings, Steps, Went};

fn version(text: &str) -> bartizan_base::VersionRef {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_hangs_holds_up_nothing_else() {
    let (answer, disk) = oneshot::channel();
    let (mut readings, mut disk) = (Readings::new(), Some(disk));
    let mut begun = 0;
    let mut round = async |readings: &mut Readings<'static, u32>| {
        let began = Instant::now();
        let hung = readings
            .go_on(&version("a:1"), |steps: Steps| {
                begun += 1;
                let disk = disk.take();
                async move {
                    let come = disk.unwrap().await.unwrap();
                    steps.take();
                    // It goes on for a while after that.
                    sleep(PATIENCE / 2).await;
                    come
                }
            })
            .await;
        let waited = began.elapsed();
        let other = readings.go_on(&version("b:1"), |_| async { 2 }).await;
        (hung, waited, other)
    };
    assert_eq!(round(&mut readings).await, (Went::Hangs, PATIENCE, Went::Ended(2)));
    for _ in 0..3 {
        let (hung, waited, other) = round(&mut readings).await;
        assert_eq!((hung, other), (Went::HangsStill, Went::Ended(2)));
        assert!(waited < PATIENCE / 100, "{waited:?}");
    }
    answer.send(1).unwrap();
    let (ended, _, other) = round(&mut readings).await;
    assert_eq!((ended, other), (Went::Ended(1), Went::Ended(2)));
    assert_eq!(begun, 1, "what hung was begun anew");
}

#[tokio::test(start_paused = true)]
async fn what_takes_long_is_not_what_hangs() {
    let mut readings = Readings::new();
    let slow = |steps: Steps| async move {
        for _ in 0..100 {
            sleep(PATIENCE / 2).await;
            steps.take();
        }
    };
    assert_eq!(readings.go_on(&version("a:1"), slow).await, Went::Ended(()));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_served_any_more_is_forgotten() {
    let mut readings = Readings::new();
    let (one, other) = (version("a:1"), version("b:1"));
    for version in [&one, &other] {
        assert_eq!(readings.go_on(version, |_| std::future::pending::<()>()).await, Went::Hangs);
    }
    readings.retain(&BTreeSet::from([other.clone()]));
    assert_eq!(readings.go_on(&one, |_| async {}).await, Went::Ended(()));
    assert_eq!(readings.go_on(&other, |_| async {}).await, Went::HangsStill);
}
