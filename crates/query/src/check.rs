//! A tree into a condition: every name is looked up, every operator and value checked.
//!
//! Every mistake of the query is told, not only the first.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::ast::{Comparison, Expr, Operator};
use crate::catalogue;
use crate::condition::{Condition, Leaf, Operand, Side};
use crate::diagnostic::{Code, Diagnostic};
use crate::parser::{MAX_DIAGNOSTICS, parse_partly};
use crate::property::{DUAL_ROLES, Kind, MACRO, PROPERTIES, Reading, Resolved, nearest, resolve};
use crate::value::{self, Property};
use crate::when::Moment;

/// How many comparisons a query may have, those of its macros counted each time.
pub const MAX_COMPARISONS: usize = 10_000;

/// How deeply macros may use macros.
pub const MAX_MACRO_DEPTH: usize = 8;

/// Saved queries by the name behind `macro_`.
pub type Macros = BTreeMap<String, String>;

/// Checks queries; what they need is collected on the way.
pub(crate) struct Checker<'m> {
    pub moment: &'m Moment,
    pub macros: &'m Macros,
    /// The needed paths; the place of each is its slot.
    pub paths: Vec<Vec<String>>,
    slots: HashMap<Vec<String>, usize>,
    /// The properties that are used, those of macros too.
    pub properties: Vec<String>,
    pub problems: Vec<Diagnostic>,
    /// The macros that are being read, outermost first.
    open: Vec<String>,
    /// Macros that have been read, and how many comparisons each has.
    saved: HashMap<String, (Arc<Condition>, usize)>,
    comparisons: usize,
}

impl<'m> Checker<'m> {
    pub(crate) fn new(moment: &'m Moment, macros: &'m Macros) -> Self {
        Self {
            moment,
            macros,
            paths: Vec::new(),
            slots: HashMap::new(),
            properties: Vec::new(),
            problems: Vec::new(),
            open: Vec::new(),
            saved: HashMap::new(),
            comparisons: 0,
        }
    }

    /// `None` if something is wrong; what, is among the problems.
    pub(crate) fn condition(&mut self, expr: &Expr) -> Option<Condition> {
        match expr {
            Expr::All(members) => self.each(members).map(Condition::All),
            Expr::Any(members) => self.each(members).map(Condition::Any),
            Expr::Not(inner) => self.condition(inner).map(|it| Condition::Not(Box::new(it))),
            Expr::Comparison(comparison) => self.comparison(comparison),
        }
    }

    fn each(&mut self, members: &[Expr]) -> Option<Vec<Condition>> {
        // Every member is looked at, also behind a wrong one.
        let checked: Vec<Option<Condition>> =
            members.iter().map(|member| self.condition(member)).collect();
        checked.into_iter().collect()
    }

    fn comparison(&mut self, comparison: &Comparison) -> Option<Condition> {
        if self.problems.len() >= MAX_DIAGNOSTICS {
            return None;
        }
        let Comparison { property: name, property_at, .. } = comparison;
        let (property, operand) = match resolve(name) {
            Some(Resolved::Macro(key)) => return self.saved(&key, comparison),
            Some(Resolved::Named(property, words)) => {
                let operand = self.operand(property.reading);
                (Property { kind: property.kind, words, name: property.name }, operand)
            }
            Some(Resolved::Field(entry)) => {
                let slot = self.slot(entry.keys);
                (Property { kind: entry.kind, words: entry.words, name }, Operand::Field(slot))
            }
            Some(Resolved::Group(fields)) => {
                let message = format!("`{name}` is a group of fields and has no value itself");
                let example = fields.first().map(String::as_str).unwrap_or_default();
                let problem = Diagnostic::new(Code::Group, *property_at, message);
                return self.tell(problem.help(format!("name a field of it, such as `{example}`")));
            }
            Some(Resolved::Map) => {
                let message = format!("`{name}` has keys, and no value itself");
                let problem = Diagnostic::new(Code::Group, *property_at, message);
                return self.tell(problem.help(format!("name a key of it: `{name}.` and the key")));
            }
            None => return self.unknown(comparison),
        };
        self.count(1, comparison)?;
        self.use_property(name);
        if !self.takes(property.kind.operators(), property.kind, comparison) {
            return None;
        }
        match value::test(&property, comparison, self.moment) {
            Ok(test) => {
                let is_negated = comparison.operator.is_negative();
                Some(Condition::Leaf(Leaf { operand, test, is_negated }))
            }
            Err(problem) => self.tell(*problem),
        }
    }

    /// Whether the operator is one of those; tells if not.
    fn takes(&mut self, operators: &[Operator], kind: Kind, comparison: &Comparison) -> bool {
        let Comparison { property, operator, operator_at, .. } = comparison;
        if operators.contains(operator) {
            return true;
        }
        let names: Vec<&str> = operators.iter().map(|operator| operator.as_str()).collect();
        let message = format!("`{property}` is of type {kind} and does not take {operator}");
        let mut problem = Diagnostic::new(Code::WrongOperator, *operator_at, message)
            .expected(format!("one of {}", names.join("  ")));
        if *operator == Operator::In && kind == Kind::Boolean {
            problem = problem.help("a boolean is 'true' or 'false': use =");
        }
        self.tell(problem);
        false
    }

    fn unknown(&mut self, comparison: &Comparison) -> Option<Condition> {
        let Comparison { property: name, property_at, .. } = comparison;
        let shown: String = name.chars().take(64).collect();
        let message = format!("there is no property `{shown}`");
        let problem = Diagnostic::new(Code::UnknownProperty, *property_at, message);
        let known = PROPERTIES.iter().map(|property| property.name).chain(catalogue::paths());
        let help = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
        self.tell(problem.maybe_help(help))
    }

    /// A saved query as a boolean.
    fn saved(&mut self, key: &str, comparison: &Comparison) -> Option<Condition> {
        if !self.takes(Kind::Boolean.operators(), Kind::Boolean, comparison) {
            return None;
        }
        let wanted = match value::boolean(comparison) {
            Ok(wanted) => wanted,
            Err(problem) => return self.tell(*problem),
        };
        let (condition, comparisons) = match self.saved.get(key) {
            Some(saved) => saved.clone(),
            None => self.read_saved(key, comparison)?,
        };
        self.count(comparisons, comparison)?;
        self.use_property(&comparison.property);
        let is_negated = comparison.operator.is_negative() == wanted;
        let condition = Condition::Saved(condition);
        Some(if is_negated { Condition::Not(Box::new(condition)) } else { condition })
    }

    fn read_saved(
        &mut self,
        key: &str,
        comparison: &Comparison,
    ) -> Option<(Arc<Condition>, usize)> {
        let Comparison { property: name, property_at, .. } = comparison;
        let Some(text) = self.macros.get(key) else {
            let message = format!("there is no saved query `{key}`");
            let near = nearest(key, self.macros.keys().map(String::as_str));
            let help = near.map(|near| format!("did you mean `{MACRO}{near}`?"));
            let problem = Diagnostic::new(Code::UnknownMacro, *property_at, message);
            self.tell(problem.maybe_help(help));
            return None;
        };
        if let Some(at) = self.open.iter().position(|open| open == key) {
            let circle: Vec<String> = self.open[at..]
                .iter()
                .map(String::as_str)
                .chain([key])
                .map(|key| format!("{MACRO}{key}"))
                .collect();
            let message = format!("`{name}` needs itself: {}", circle.join(" -> "));
            self.tell(Diagnostic::new(Code::MacroCycle, *property_at, message));
            return None;
        }
        if self.open.len() == MAX_MACRO_DEPTH {
            let message = format!("macros use macros more than {MAX_MACRO_DEPTH} deep");
            self.tell(Diagnostic::new(Code::TooDeep, *property_at, message));
            return None;
        }
        // The saved query is read apart: its places are not those of this text.
        let outer_problems = std::mem::take(&mut self.problems);
        let outer_comparisons = std::mem::take(&mut self.comparisons);
        self.open.push(key.to_owned());
        let (expr, syntax) = parse_partly(text);
        let is_readable = syntax.is_empty();
        self.problems = syntax;
        let condition = expr.and_then(|expr| self.condition(&expr));
        self.open.pop();
        let inner = std::mem::replace(&mut self.problems, outer_problems);
        let comparisons = std::mem::replace(&mut self.comparisons, outer_comparisons);
        if let Some(first) = inner.into_iter().next() {
            // A circle, and what is too much, is a mistake of the whole.
            let is_of_the_whole = is_readable
                && matches!(first.code, Code::MacroCycle | Code::TooDeep | Code::TooLarge);
            let (code, message) = match is_of_the_whole {
                true => (first.code, first.message),
                false => {
                    let what = format!("the saved query `{key}` is wrong itself: ");
                    (Code::BrokenMacro, what + &first.message)
                }
            };
            self.tell(Diagnostic { code, message, span: *property_at, ..first });
            return None;
        }
        let saved = (Arc::new(condition?), comparisons);
        self.saved.insert(key.to_owned(), saved.clone());
        Some(saved)
    }

    fn operand(&mut self, reading: Reading) -> Operand {
        match reading {
            Reading::Field(path) => Operand::Field(self.slot_of(path)),
            Reading::First(one, other) => Operand::First(self.slot_of(one), self.slot_of(other)),
            Reading::Arguments { without } => Operand::Arguments {
                builtin: self.slot_of("builtin.argv"),
                own: self.slot_of("self.argv"),
                without,
            },
            Reading::IsBuiltin => Operand::IsBuiltin(self.slot_of("event_type")),
            Reading::Dual { field, is_joined } => Operand::Dual(DUAL_ROLES.map(|role| Side {
                value: self.slot_of(&format!("{role}.{field}")),
                unknown: [
                    self.slot_of(&format!("missing.{role}")),
                    self.slot_of(&format!("{role}.unknown.{field}")),
                ],
                is_joined,
            })),
        }
    }

    fn slot_of(&mut self, path: &str) -> usize {
        self.slot(path.split('.').map(str::to_owned).collect())
    }

    fn slot(&mut self, keys: Vec<String>) -> usize {
        let next = self.paths.len();
        let slot = *self.slots.entry(keys.clone()).or_insert(next);
        if slot == next {
            self.paths.push(keys);
        }
        slot
    }

    fn use_property(&mut self, name: &str) {
        if !self.properties.iter().any(|known| known == name) {
            self.properties.push(name.to_owned());
        }
    }

    /// Counts comparisons; `None` if they are too many.
    fn count(&mut self, comparisons: usize, comparison: &Comparison) -> Option<()> {
        let before = self.comparisons;
        self.comparisons = before.saturating_add(comparisons);
        if self.comparisons <= MAX_COMPARISONS {
            return Some(());
        }
        if before <= MAX_COMPARISONS {
            let message = "the query has too many comparisons, those of its macros counted";
            let problem = Diagnostic::new(Code::TooLarge, comparison.property_at, message);
            self.tell(problem.expected(format!("at most {MAX_COMPARISONS}")));
        }
        None
    }

    fn tell(&mut self, problem: Diagnostic) -> Option<Condition> {
        self.problems.push(problem);
        None
    }
}
