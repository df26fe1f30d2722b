//! The engines, and what each calls things.

/// An engine that tables are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// DuckDB.
    Duckdb,
    /// ClickHouse.
    Clickhouse,
    /// Apache Spark.
    Spark,
    /// Amazon Athena.
    Athena,
    /// Google BigQuery.
    Bigquery,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Self; 5] =
        [Self::Duckdb, Self::Clickhouse, Self::Spark, Self::Athena, Self::Bigquery];

    /// The word for it on command lines and in names of files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Duckdb => "duckdb",
            Self::Clickhouse => "clickhouse",
            Self::Spark => "spark",
            Self::Athena => "athena",
            Self::Bigquery => "bigquery",
        }
    }

    /// What its makers call it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Duckdb => "DuckDB",
            Self::Clickhouse => "ClickHouse",
            Self::Spark => "Apache Spark",
            Self::Athena => "Amazon Athena",
            Self::Bigquery => "Google BigQuery",
        }
    }

    /// A name that cannot be taken for a keyword.
    pub(super) fn quoted(self, name: &str) -> String {
        match self {
            Self::Duckdb => format!("\"{name}\""),
            Self::Clickhouse | Self::Spark | Self::Athena | Self::Bigquery => format!("`{name}`"),
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Duckdb => "VARCHAR",
            Self::Clickhouse => "Nullable(String)",
            Self::Spark | Self::Bigquery => "STRING",
            Self::Athena => "string",
        }
    }

    pub(super) fn number(self) -> &'static str {
        match self {
            Self::Duckdb | Self::Spark => "BIGINT",
            Self::Clickhouse => "Nullable(Int64)",
            Self::Athena => "bigint",
            Self::Bigquery => "INT64",
        }
    }

    pub(super) fn truth(self) -> &'static str {
        match self {
            Self::Duckdb | Self::Spark => "BOOLEAN",
            Self::Clickhouse => "Nullable(Bool)",
            Self::Athena => "boolean",
            Self::Bigquery => "BOOL",
        }
    }

    /// A list of these.
    pub(super) fn list(self, item: &str) -> String {
        match self {
            Self::Duckdb => format!("{item}[]"),
            Self::Clickhouse => format!("Array({item})"),
            Self::Spark | Self::Bigquery => format!("ARRAY<{item}>"),
            Self::Athena => format!("array<{item}>"),
        }
    }

    /// Values of this type by keys that are not known in advance.
    pub(super) fn map(self, value: &str) -> String {
        match self {
            Self::Duckdb => format!("MAP(VARCHAR, {value})"),
            Self::Clickhouse => format!("Map(String, {value})"),
            Self::Spark => format!("MAP<STRING, {value}>"),
            Self::Athena => format!("map<string,{value}>"),
            // It has no maps.
            Self::Bigquery => "JSON".to_owned(),
        }
    }

    /// An object with these fields, each already written by [`Engine::field`].
    pub(super) fn object(self, fields: &[String]) -> String {
        match self {
            Self::Duckdb => format!("STRUCT({})", fields.join(", ")),
            Self::Clickhouse => format!("Tuple({})", fields.join(", ")),
            Self::Spark | Self::Bigquery => format!("STRUCT<{}>", fields.join(", ")),
            Self::Athena => format!("struct<{}>", fields.join(",")),
        }
    }

    /// A field of an object.
    pub(super) fn field(self, name: &str, written: &str) -> String {
        let between = match self {
            Self::Spark => ": ",
            Self::Athena => ":",
            Self::Duckdb | Self::Clickhouse | Self::Bigquery => " ",
        };
        format!("{}{between}{written}", self.quoted(name))
    }
}
