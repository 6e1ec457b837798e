//! Charts drawn as SVG by hand: no colour and no text that the page's own styles and languages do not govern.
//!
//! Geometry is plain arithmetic in [`scale`], tested natively; the components only turn it into shapes.

mod marks;
mod plot;
pub mod scale;
mod sparkline;
mod trend;

pub use sparkline::Sparkline;
pub use trend::{TrendChart, TrendTable, goal_text, point_value, range_text};
