//! `schema`: the descriptions of the exported format, all generated from its types.

use anyhow::Result;
use forebear_events::{ddl, fields, ndjson, samples, schema};

use crate::args::SchemaArgs;
use crate::exit::Exit;
use crate::printer;

/// Prints one of them.
///
/// # Errors
/// When it cannot be written.
pub fn run(args: &SchemaArgs) -> Result<Exit> {
    let product = &args.product;
    let text = if product.fields {
        fields::tsv()
    } else if product.samples {
        samples::all().iter().map(|(_, event)| ndjson::line(event)).collect()
    } else if product.markdown {
        fields::markdown()
    } else if let Some(engine) = product.ddl {
        ddl::statements(engine.into())
    } else {
        schema::json_schema()
    };
    printer::print(&text)?;
    Ok(Exit::Done)
}
