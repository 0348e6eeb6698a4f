//! Limits on what comes from outside: files to read, schemas to parse, profiles to load.

/// Bytes of one record of a CSV file, quotes removed; also of the header.
pub const RECORD_BYTES: usize = 1024 * 1024;

/// Bytes of one line of JSON that is searched for personal data; a document without line ends is one.
pub const JSON_LINE_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of one cell.
pub const CELL_BYTES: usize = 256 * 1024;

/// Columns of one file.
pub const COLUMNS: usize = 10_000;

/// Bytes of a column's name.
pub const COLUMN_NAME_BYTES: usize = 256;

/// Rows of one file, and of all files that one profile covers: the largest count a canonical document holds.
pub const ROWS: u64 = (1 << 53) - 1;

/// Spellings of "no value" in one schema.
pub const NULL_TOKENS: usize = 32;

/// Bytes of one such spelling.
pub const NULL_TOKEN_BYTES: usize = 32;

/// Distinct values that a profile counts exactly in one column; beyond it, it forgets them all.
pub const COUNTED_VALUES: usize = 1_000;

/// Cost (see `docs/formats/data-profile.md`) of the distinct values counted in one column.
pub const COUNTED_COLUMN_COST: usize = 64 * 1024;

/// Cost of the distinct values counted in all columns together: wide files get less for each column.
pub const COUNTED_PROFILE_COST: usize = 4 * 1024 * 1024;

/// Bytes of a stored profile that is read from a file.
pub const PROFILE_BYTES: usize = 512 * 1024 * 1024;

/// Distinct labels whose shares a schema holds.
pub const LABELS: usize = 100;

/// Bytes of a schema file.
pub const SCHEMA_BYTES: usize = 8 * 1024 * 1024;

/// Values in one domain of a schema.
pub const DOMAIN_VALUES: usize = 10_000;

/// Edges of one histogram.
pub const HISTOGRAM_EDGES: usize = 4097;

/// Example rows in one finding.
pub const EXAMPLES: usize = 5;

/// Findings in one report. A file cannot make more than this by having strange columns.
pub const FINDINGS: usize = 1_000;

/// Rows that are written out because they break rules, a row for each rule that it breaks.
pub const LISTED_ROWS: usize = 100_000;

/// Numbers of rows that are kept for it, of one kind of rule, all columns together.
pub const LISTED_ROWS_ALL: usize = 4_000_000;

/// Bytes of the cells of these rows.
pub const LISTED_BYTES: usize = 256 * 1024 * 1024;

/// Bytes of a report as a page, as JUnit XML or as SARIF.
pub const REPORT_BYTES: usize = 8 * 1024 * 1024;

/// Columns that a page shows in full; others get a line in a table.
pub const REPORT_COLUMNS: usize = 150;

/// Characters of a name or a message in a report.
pub const REPORT_TEXT: usize = 400;

/// Bytes of the signature of one part.
pub const SIGNATURE_BYTES: usize = 64 * 1024;

/// Parts of one dataset version.
pub const PARTS: usize = 1_000_000;

/// Levels that structures and lists of one file nest.
pub const DEPTH: usize = 32;

/// How many times its size a compressed file may come to, once it came to [`DECOMPRESSED_FREE`] bytes.
pub const DECOMPRESSION_RATIO: u64 = 2_000;

/// Bytes that a compressed file may come to whatever its size.
pub const DECOMPRESSED_FREE: u64 = 64 * 1024 * 1024;

/// Logarithm of the largest window, in bytes, that a zstd stream may ask for: 128 MiB.
pub const ZSTD_WINDOW_LOG: u32 = 27;

/// Bytes of a Parquet file that comes through a pipe: it is read from its end, so all of it is kept.
pub const WHOLE_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Bytes of the footer of a Parquet file.
pub const PARQUET_FOOTER_BYTES: u64 = 16 * 1024 * 1024;

/// Row groups of a Parquet file.
pub const PARQUET_ROW_GROUPS: u64 = 100_000;

/// Bytes of one page of a Parquet file, decompressed. Writers make pages of about 1 MiB.
pub const PARQUET_PAGE_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes of the header of one page of a Parquet file.
pub const PARQUET_PAGE_HEADER_BYTES: usize = 64 * 1024;

/// Elements of the lists of one column, in one row group of Parquet or one batch of Arrow.
pub const LIST_ELEMENTS: u64 = 1 << 26;

/// Bytes of the metadata of one message of an Arrow file.
pub const ARROW_METADATA_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes of one message of an Arrow file, decompressed: one batch, or one dictionary.
pub const ARROW_MESSAGE_BYTES: u64 = 256 * 1024 * 1024;

/// Bytes of all dictionaries of an Arrow file together.
pub const DICTIONARY_BYTES: u64 = 256 * 1024 * 1024;

/// Columns that the lines of a JSON file make together, at any depth.
pub const JSON_COLUMNS: usize = 2_000;
/// Cells over which null distributions of ordered statistics are drawn, give or take a third.
pub const DRIFT_CELLS: usize = 1_024;

/// Bins of one histogram that drift is measured on.
pub const DRIFT_BINS: usize = 10_000;

/// Categories of one column that drift is measured on.
pub const DRIFT_CATEGORIES: usize = 1_000_000;

/// Bytes of memory of one table whose values are compared one by one; texts are counted twice, with 64 for each.
pub const DRIFT_TABLE_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// Groups of rows (periods, sources, labels) that a comparison tells apart.
pub const DRIFT_GROUPS: usize = 1_000;

/// Bytes of a stored drift report, and of a stored watch.
pub const DRIFT_REPORT_BYTES: usize = bartizan_base::limits::CANONICAL_BYTES;

/// Entries of a stored drift report.
pub const DRIFT_REPORT_ENTRIES: usize = 20_000;

/// Permutations drawn for one column.
pub const DRIFT_DRAWS: u32 = 1_000_000;
/// Bytes of a file of recognisers.
pub const RECOGNISERS_BYTES: usize = 256 * 1024;

/// Recognisers in one file.
pub const RECOGNISERS: usize = crate::pii::CUSTOM_KINDS;

/// Bytes of a recogniser's pattern.
pub const RECOGNISER_PATTERN_BYTES: usize = 1024;

/// Bytes of each program that a pattern is compiled to.
pub const RECOGNISER_PROGRAM_BYTES: usize = 1024 * 1024;

/// Words of one recogniser.
pub const RECOGNISER_WORDS: usize = 32;

/// Bytes of such a word.
pub const RECOGNISER_WORD_BYTES: usize = 64;

/// Bytes of what one recogniser finds; longer matches are passed over.
pub const RECOGNISER_MATCH_BYTES: usize = 512;

/// Values in one part of a vault of tokens; a project has 256 parts.
pub const VAULT_ENTRIES: usize = 65_536;

/// Bytes of one part of a vault.
pub const VAULT_BYTES: usize = 64 * 1024 * 1024;

/// Bytes of one value in a vault.
pub const VAULT_VALUE_BYTES: usize = 64 * 1024;
/// Rows of a table whose quality is looked at; they are numbered in 32 bits.
pub const QUALITY_ROWS: usize = 100_000_000;

/// Features of such a table.
pub const QUALITY_FEATURES: usize = 4_096;

/// Different labels of such a table.
pub const QUALITY_CLASSES: usize = 1_000;

/// Rows of it that a search for triggers counts; more are sampled, and what is found is judged on all.
pub const TRIGGER_ROWS: usize = 300_000;

/// Features that a search for triggers combines, the most telling ones.
pub const TRIGGER_FEATURES: usize = 128;

/// Labels that a trigger is sought for, the most frequent ones.
pub const TRIGGER_LABELS: usize = 16;

/// Triggers in one report.
pub const TRIGGERS: usize = 50;

/// Cells of a table that is held in memory for it.
pub const QUALITY_CELLS: usize = 1_000_000_000;

/// Bytes of the different texts of such a table, twice counted, with 64 for each.
pub const QUALITY_TEXT_BYTES: usize = 4 * 1024 * 1024 * 1024;

/// Features of which any may depend on any other when the likeliness of rows is estimated; others stand alone.
pub const TREE_FEATURES: usize = 128;

/// Sources, or writers, that are compared with all others, the largest ones.
pub const SOURCES: usize = 200;

/// Rows of one finding that a report about a table's quality names.
pub const QUALITY_EXAMPLES: usize = 20;

/// Rows of all findings together that are held to be written out.
pub const QUALITY_LISTED_ROWS: usize = 20_000_000;

/// Bytes of such a report.
pub const QUALITY_REPORT_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of one event of OpenLineage.
pub const OPENLINEAGE_EVENT_BYTES: usize = 4 * 1024 * 1024;

/// Events of one import.
pub const OPENLINEAGE_EVENTS: u64 = 1_000_000;

/// Data sets that one event names.
pub const OPENLINEAGE_DATASETS: usize = 1_000;

/// Data sets, jobs, runs, or reads and writes, that one import names.
pub const OPENLINEAGE_THINGS: usize = 100_000;

/// Different facets of one import.
pub const OPENLINEAGE_FACETS: usize = 20_000;

/// Bytes of a name, namespace or version.
pub const OPENLINEAGE_NAME_BYTES: usize = 2_048;

/// Files of one directory that is a data set.
pub const FOLDER_FILES: usize = 100_000;

/// Bytes of the list of its files that its digest is over.
pub const FOLDER_LIST_BYTES: usize = 64 * 1024 * 1024;

/// Bytes of one file of it, which is in memory while it is looked at.
pub const FOLDER_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Bytes of the path of such a file.
pub const FOLDER_PATH_BYTES: usize = 240;

/// Bytes of its label manifest.
pub const FOLDER_LABELS_BYTES: usize = 64 * 1024 * 1024;

/// Columns of it.
pub const FOLDER_LABEL_COLUMNS: usize = 1_024;

/// Bytes of one label in it.
pub const FOLDER_LABEL_BYTES: usize = 256;

/// Different labels of which the shares are kept.
pub const FOLDER_LABEL_VALUES: usize = 1_000;

/// Paths that are named as examples.
pub const FOLDER_EXAMPLES: usize = 5;

/// Different words that are counted in the texts of a directory.
pub const FOLDER_WORDS: usize = 1_000_000;

/// Bytes of a regular expression in a schema.
pub const PATTERN_BYTES: usize = 4 * 1024;

/// Bytes of each program that it is compiled to.
pub const PATTERN_PROGRAM_BYTES: usize = 4 * 1024 * 1024;

/// Regular expressions of one rule.
pub const PATTERNS: usize = 32;

/// Bytes of an expression over columns.
pub const EXPRESSION_BYTES: usize = 16 * 1024;

/// Words and signs of such an expression.
pub const EXPRESSION_WORDS: usize = 4_000;

/// Levels that it nests.
pub const EXPRESSION_DEPTH: usize = 64;

/// Columns that it names.
pub const EXPRESSION_COLUMNS: usize = 64;

/// Expressions, keys, and slices, each, of one schema.
pub const ROW_RULES: usize = 1_000;

/// Columns that the rows of one check are looked at by: those of expressions, keys and slices.
pub const ROW_COLUMNS: usize = 256;

/// Environments of a schema.
pub const ENVIRONMENTS: usize = 32;

/// Bytes of the name of an environment, a slice, an expression or another table.
pub const RULE_NAME_BYTES: usize = 128;

/// Quantiles that one column has bounds for.
pub const QUANTILE_BOUNDS: usize = 100;

/// Bytes that all keys of a check together may take to tell which values come twice, also while a table of them grows: room
/// for some 60 million different values of a single key.
pub const KEY_BYTES: usize = 4 * 1024 * 1024 * 1024;

/// Bytes of the different values of all tables that a check looks values up in, with 64 for each. While a table is read, a
/// value counts once for each of its parts that is at hand.
pub const REFERENCED_BYTES: usize = 2 * 1024 * 1024 * 1024;

/// Bytes of an expectation suite.
pub const SUITE_BYTES: usize = 8 * 1024 * 1024;

/// Expectations of one suite.
pub const EXPECTATIONS: usize = 10_000;
