//! Whether each label comes as often as it did.

use super::{Judge, percent, share_of, whole};
use crate::check::report::{Finding, Rule};
use crate::check::rules::Labels;
use crate::schema::as_f64;

/// Standard errors that chance passes less than once in 15,000 batches, for each value of the label.
const LABEL_ERRORS: f64 = 4.0;

impl Judge {
    /// Compares the share of each label with the schema's: beyond four standard errors of the difference of two
    /// samples of these sizes, and beyond the tolerance, it has moved.
    pub(super) fn labels(&mut self, labels: &Labels<'_>, counted: u64) {
        let Labels { rules: label, counts, unseen, .. } = labels;
        let known = label.shares.len();
        self.run(Some(&label.column), Rule::LabelUnseen);
        if unseen.count > 0 {
            let share = share_of(unseen.count, counted);
            let message = format!("{} of the labels are none of the {known} known ones", percent(share));
            let finding = whole(Some(&label.column), Rule::LabelUnseen, label.severity, message);
            let (examples, rows) = (unseen.examples.clone(), unseen.rows.clone());
            self.find(Finding { count: unseen.count, share, examples, rows, ..finding });
        }
        if counted == 0 {
            let message = format!("no row has a label, so {known} checks of their shares could not run");
            let finding = whole(Some(&label.column), Rule::LabelShare, label.severity, message);
            label.shares.iter().for_each(|_| self.skip(Some(&label.column), Rule::LabelShare));
            self.find(Finding { count: 0, ..finding });
            return;
        }
        for ((place, (_, expected)), count) in (1_usize..).zip(&label.shares).zip(counts) {
            self.run(Some(&label.column), Rule::LabelShare);
            let share = share_of(*count, counted);
            let pooled = (expected * as_f64(label.counted) + as_f64(*count))
                / as_f64(label.counted.saturating_add(counted).max(1));
            let sizes = 1.0 / as_f64(label.counted.max(1)) + 1.0 / as_f64(counted);
            let error = (pooled * (1.0 - pooled) * sizes).max(0.0).sqrt();
            let limit = label.tolerance + LABEL_ERRORS * error;
            if (share - expected).abs() > limit {
                let message = format!(
                    "label {place} of {known} comes in {} of the rows, in the schema in {}; {} either way is allowed",
                    percent(share),
                    percent(*expected),
                    percent(limit)
                );
                let finding = whole(Some(&label.column), Rule::LabelShare, label.severity, message);
                self.find(Finding { count: *count, share, limit, ..finding });
            }
        }
    }
}
