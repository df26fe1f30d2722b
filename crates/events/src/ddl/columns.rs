//! The columns of an event of any type, as a tree: what the catalogue lists by path.

use super::Engine;
use crate::fields::{self, Field};

/// A column, or a field of one.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Text,
    Number,
    Truth,
    List(Box<Kind>),
    Map(Box<Kind>),
    Object(Vec<Column>),
}

/// Every column, in the order of the wire.
pub(super) fn columns() -> Vec<Column> {
    let mut columns = Vec::new();
    for field in fields::catalogue() {
        let mut level = &mut columns;
        let mut parts = field.path.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                level.push(Column { name: part.to_owned(), kind: kind(&field) });
                break;
            }
            // The catalogue lists an object before its fields.
            let Some(Column { kind: Kind::Object(fields), .. }) =
                level.iter_mut().find(|column| column.name == part)
            else {
                break;
            };
            level = fields;
        }
    }
    columns
}

fn kind(field: &Field) -> Kind {
    match (&*field.kind, &field.values) {
        ("object", Some(values)) => Kind::Map(Box::new(scalar(values))),
        ("object" | "process", _) => Kind::Object(Vec::new()),
        (kind, _) => match kind.strip_prefix("array of ") {
            Some(item) => Kind::List(Box::new(scalar(item))),
            None => scalar(kind),
        },
    }
}

fn scalar(kind: &str) -> Kind {
    match kind {
        "integer" => Kind::Number,
        "boolean" => Kind::Truth,
        _ => Kind::Text,
    }
}

impl Column {
    /// Its type as an engine writes it.
    pub(super) fn written(&self, engine: Engine) -> String {
        self.kind.written(engine)
    }
}

impl Kind {
    fn written(&self, engine: Engine) -> String {
        match self {
            Self::Text => engine.text().to_owned(),
            Self::Number => engine.number().to_owned(),
            Self::Truth => engine.truth().to_owned(),
            Self::List(item) => engine.list(&item.written(engine)),
            Self::Map(value) => engine.map(&value.written(engine)),
            Self::Object(fields) => {
                let field =
                    |column: &Column| engine.field(&column.name, &column.kind.written(engine));
                engine.object(&fields.iter().map(field).collect::<Vec<_>>())
            }
        }
    }
}
