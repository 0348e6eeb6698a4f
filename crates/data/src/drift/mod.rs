//! Whether two sets of rows come from one distribution, how far apart they are, and what kind of change it was.
//!
//! ```text
//!   values, codes, counts, histograms, sketches
//!      |
//!      +-> statistic, exact or between bounds ---+
//!      |                                         +-> p --adjusted over columns--+
//!      +-> null at these sizes, by permutation --+                              +-> verdict: drift, no drift,
//!          of rows or of whole clusters                  effect, floor ---------+   not judged
//! ```
//!
//! A column is said to drift when the difference is significant among all columns *and* large enough to matter. What
//! cannot be told is `not judged`, which is never `no drift`. Nothing here reads a clock or makes randomness of its
//! own: times and seeds are arguments.

mod arrange;
mod bounds;
mod cells;
mod change;
mod compare;
mod course;
mod discovery;
mod divergence;
mod domain;
mod draw;
mod forms;
mod frame;
mod frequent;
mod null;
mod ordered;
mod pair;
mod period;
mod profiles;
mod random;
mod report;
mod season;
mod skew;
mod spelling;
mod statistic;
mod stored;
mod summary;
mod table_test;
mod tags;
mod watch;

pub use self::bounds::{of_histograms, of_sketches};
pub use self::change::{
    Bucket, Carriers, Change, ChangeEvidence, ChangeKind, ChangeOptions, Group, Part, SchemaChange, carriers,
    explain,
};
pub use self::compare::{
    ClusterCounts, Clusters, Column, Comparison, Options, Side, compare, conclude, judge,
};
pub use self::course::{Course, RowFacts, course};
pub use self::discovery::{Dependence, adjust};
pub use self::divergence::{
    chi_squared, hellinger, jensen_shannon_distance, jensen_shannon_divergence, l_infinity, psi,
};
pub use self::domain::{AucTest, DomainOptions, DomainReport, auc_test, domain};
pub use self::frame::{Frame, FrameColumn, FrameKind, NotFramed, Want};
pub use self::null::Plan;
pub use self::ordered::{Numbers, kolmogorov_smirnov, wasserstein};
pub use self::pair::{Held, Pair, pairs};
pub use self::period::{Period, PeriodInvalid, month, value_name};
pub use self::profiles::{ProfilePair, Summary, profile_pairs};
pub use self::random::Random;
pub use self::report::{ColumnDrift, DriftReport, Measure, Mode, NotJudged, Purpose, SideSize, Verdict};
pub use self::season::{HOURS, Joined, Seasons, Strata, hour_of_week};
pub use self::skew::{FeatureSkew, JoinInvalid, JoinReport, JoinedColumn, JoinedSide, join_rows};
pub use self::statistic::{Statistic, StatisticInvalid, Undefined};
pub use self::stored::{DriftReportInvalid, DriftReportUnwritten};
pub use self::summary::{Bounded, Edges, EdgesInvalid, Frequent, Histogram, QuantileSketch};
pub use self::table_test::{TableFinding, TableTest};
pub use self::tags::Tags;
pub use self::watch::{Alarm, AlarmPolicy, Watch, WatchInvalid};
