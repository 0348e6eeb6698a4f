//! Real models with real answers, where they are at hand beside the project.

use std::path::{Path, PathBuf};

use crate::cases::compare;

/// The folder `shared/models` beside the repository or beside a folder that it is in.
pub(crate) fn models() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().skip(3).map(|above| above.join("shared/models")).find(|folder| folder.is_dir())
}

fn agrees(name: &str) {
    let Some(folder) = models() else {
        eprintln!("SKIPPED: there is no folder shared/models beside the repository for {name}");
        return;
    };
    let comparison = compare(&folder, name).unwrap();
    eprintln!(
        "{name}: {} of {} floats the same bit by bit, the worst differs by {:.1e}",
        comparison.same, comparison.floats, comparison.worst
    );
    assert!(comparison.differences.is_empty(), "{name}: {:?}", comparison.differences);
    assert!(comparison.worst <= 1e-5, "{name}: {comparison:?}");
}

macro_rules! models {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            agrees(stringify!($name));
        }
    )*};
}

models!(
    taxi_tip_gbdt,
    taxi_tip_logistic,
    adult_forest,
    adult_logistic,
    adult_lightgbm,
    adult_xgboost,
    taxi_fare_hist,
    taxi_fare_ridge,
    taxi_outlier_iforest,
    penguins_knn,
    penguins_mlp,
    penguins_svc
);
