//! What the demo leaves behind, served so that somebody can look at it.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::client::Client;
use super::serving::{Asked, person};
use super::story::Story;
use super::table::Table;

/// Predictions that are asked for, so that there is something to look at, and the time between two of them.
const PREDICTIONS: usize = 600;
const BETWEEN: Duration = Duration::from_millis(100);

/// A data directory with a story, and who may ask.
pub(crate) struct Left {
    /// The data directory.
    pub(crate) data_dir: PathBuf,
    engineer: String,
    table: Table,
}

impl Left {
    pub(super) fn of(story: &Story<'_>, asked: Asked) -> Self {
        Self { data_dir: story.data.clone(), engineer: story.engineer.clone(), table: asked.table }
    }

    /// Says where it is served, and asks for some predictions meanwhile.
    pub(crate) fn goes_on(self, console: SocketAddr, inference: SocketAddr) {
        let Self { engineer, table, .. } = self;
        let mut out = std::io::stdout();
        let said = writeln!(
            out,
            "\nIt goes on running, and is asked for predictions for a minute. Ctrl-C ends it.\n\
             Console:      http://{console}/  (sign in with an API key, such as sam's)\n\
             Predictions:  http://{inference}/v2/models/scores"
        );
        drop(said);
        std::thread::spawn(move || {
            let address = inference.to_string();
            let Ok(client) = Client::of(&address, &engineer) else { return };
            for number in 0..PREDICTIONS {
                // Whoever ended the server ends this too.
                if client.predict(&table, number, &person(1 + number % 50)).is_err() {
                    return;
                }
                std::thread::sleep(BETWEEN);
            }
        });
    }
}
