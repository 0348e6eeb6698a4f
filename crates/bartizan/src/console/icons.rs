//! The icons: strokes on a grid of 16, coloured by the text around them, silent for screen readers.

use maud::{Markup, html};

/// What an icon shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Icon {
    /// A house.
    Home,
    /// A line that rises.
    Chart,
    /// A stack of discs.
    Data,
    /// A cube.
    Cube,
    /// A line that parts in two.
    Branch,
    /// A triangle that points right.
    Play,
    /// A triangle with an exclamation mark.
    Alert,
    /// A tick.
    Tick,
    /// A cross.
    Cross,
    /// A page with lines.
    Page,
    /// A lock.
    Lock,
    /// A tray that something falls into.
    Inbox,
    /// A pen.
    Pen,
    /// A seal with a ribbon.
    Seal,
    /// Two people.
    People,
    /// A flag.
    Flag,
    /// Two bars, as for a pause.
    Pause,
    /// A box with a lid, for what was put away.
    Archive,
    /// A ring, for what is not decided.
    Ring,
    /// An arrow into a tray.
    Download,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Home => "M2.5 7 8 2.5 13.5 7v6.5h-4V9.5h-3v4h-4z",
            Self::Chart => "M2 12.5 6 8l3 2.5L14 4",
            Self::Data => {
                "M2.5 4c0-2.4 11-2.4 11 0v8c0 2.4-11 2.4-11 0zM2.5 4c0 2.4 11 2.4 11 0M2.5 8c0 2.4 11 2.4 11 0"
            }
            Self::Cube => "M8 1.8 13.5 5v6L8 14.2 2.5 11V5zM2.5 5 8 8.2 13.5 5M8 8.2v6",
            Self::Branch => "M2 8h4M6 8l3-4h5M6 8l3 4h5",
            Self::Play => "M4 2.7 12.5 8 4 13.3z",
            Self::Alert => "M8 2.2 14.3 13.3H1.7zM8 6.3v3.4M8 11.4v.2",
            Self::Tick => "M3 8.5 6.5 12 13 4.5",
            Self::Cross => "M4 4l8 8M12 4l-8 8",
            Self::Page => "M3.5 1.8h6l3 3v9.4h-9zM6 7h4M6 9.5h4M6 12h2",
            Self::Lock => "M3 7.2h10v6.6H3zM5.2 7V5a2.8 2.8 0 0 1 5.6 0v2",
            Self::Inbox => "M2 9.5h3.4l1 2h3.2l1-2H14v4H2zM8 2v5M5.7 5 8 7.3 10.3 5",
            Self::Pen => "M2.5 13.5l.8-3.2L10.8 2.8l2.4 2.4-7.5 7.5zM9.3 4.3l2.4 2.4",
            Self::Seal => {
                "M3.8 6a4.2 4.2 0 0 1 8.4 0 4.2 4.2 0 0 1-8.4 0M5.3 9.2 4.3 14.2 8 12.3l3.7 1.9-1-5M6.4 6l1.2 1.2 2-2.2"
            }
            Self::People => {
                "M3.7 5.2a2.3 2.3 0 0 1 4.6 0 2.3 2.3 0 0 1-4.6 0M1.5 13.3c0-5 9-5 9 0zM10.3 3.2a2.1 2.1 0 0 1 0 4M12 9.6c1.7.5 2.5 1.8 2.5 3.7"
            }
            Self::Flag => "M3.5 14.2V2.2M3.5 3h9l-2.3 3 2.3 3h-9",
            Self::Pause => "M5.2 3.5v9M10.8 3.5v9",
            Self::Archive => "M2 3h12v3H2zM3 6v7.5h10V6M6.3 9h3.4",
            Self::Ring => "M3 8a5 5 0 0 1 10 0A5 5 0 0 1 3 8",
            Self::Download => "M8 2v7.5M4.8 6.5 8 9.7l3.2-3.2M2.5 11v2.7h11V11",
        }
    }

    /// The icon, hidden from screen readers: the text beside it says the same.
    pub(crate) fn svg(self) -> Markup {
        html! {
            svg.icon viewBox="0 0 16 16" aria-hidden="true" focusable="false" { path d=(self.path()) {} }
        }
    }
}

/// The mark of the brand: a turret on its corbels, with a slit to look out of.
pub(crate) fn brand() -> Markup {
    html! {
        svg.turret viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
            path.body d="M4 2.5h3.6v2.6h2.6V2.5h3.6v2.6h2.6V2.5H20v10.2H4zM5.2 14.2h13.6L14.6 21.5H9.4z" {}
            path.slit d="M11 7.2h2v4h-2z" {}
        }
    }
}

/// How much of a step is proven: a full, half or empty disc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// All of it.
    Proven,
    /// Some is proven, some asserted.
    Both,
    /// None: somebody says so.
    Asserted,
    /// Nothing is there.
    Missing,
}

impl Evidence {
    /// The disc, hidden from screen readers.
    pub(crate) fn disc(self) -> Markup {
        html! {
            svg class={ "disc " (self.class()) } viewBox="0 0 14 14" aria-hidden="true" focusable="false" {
                circle.edge cx="7" cy="7" r="5.5" {}
                @match self {
                    Self::Proven => circle.fill cx="7" cy="7" r="5.5" {},
                    Self::Both => path.fill d="M7 1.5a5.5 5.5 0 0 0 0 11z" {},
                    Self::Asserted | Self::Missing => {},
                }
            }
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Both => "both",
            Self::Asserted => "asserted",
            Self::Missing => "missing",
        }
    }
}
