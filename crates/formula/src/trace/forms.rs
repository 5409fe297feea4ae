//! Traced forms: the forms of a formula whose values a trace records, and the variables that the formula names.
//!
//! The compiler fills them. Forms that macros write are no traced forms, and neither are constants and functions,
//! whose values say nothing that the text does not.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use crate::error::Position;
use crate::form::{Form, FormKind};
use crate::node::{Node, TracedNode};
use crate::reader::SourceRanges;

/// A form whose values are recorded.
#[derive(Debug)]
pub(crate) struct TracedForm {
    pub(crate) position: Position,
    /// Its bytes in the text of the formula.
    pub(crate) source: Range<usize>,
    /// Whether it is the name of a variable.
    pub(crate) is_variable: bool,
}

#[derive(Debug)]
pub(crate) struct TracedForms {
    ranges: SourceRanges,
    forms: Vec<TracedForm>,
    by_position: HashMap<Position, usize>,
    pub(crate) variables: BTreeSet<Arc<str>>,
    /// Where the form begins that is being compiled.
    current: Option<Position>,
}

impl TracedForms {
    pub(crate) fn new(ranges: SourceRanges) -> Self {
        let (forms, by_position) = (Vec::new(), HashMap::new());
        Self { ranges, forms, by_position, variables: BTreeSet::new(), current: None }
    }

    pub(crate) fn all(&self) -> &[TracedForm] {
        &self.forms
    }

    /// Begins a form; where the one around it begins, for [`TracedForms::leave`].
    pub(crate) fn enter(&mut self, form: &Form) -> Option<Position> {
        let around = self.current;
        // The body of a `#(…)` begins where it begins, and is the form to trace.
        if !matches!(form.kind, FormKind::FunctionShorthand(_)) {
            self.current = Some(form.position);
        }
        around
    }

    /// Ends a form: its node, traced if it is to be.
    pub(crate) fn leave(&mut self, form: &Form, around: Option<Position>, node: Node) -> Node {
        self.current = around;
        // What a macro writes begins where its call begins.
        let is_written_by_macro = around == Some(form.position);
        if is_written_by_macro || !has_value_to_show(&node) {
            return node;
        }
        let Some(source) = self.ranges.get(&form.position) else { return node };
        let forms = &mut self.forms;
        let form = *self.by_position.entry(form.position).or_insert_with(|| {
            let is_variable = matches!(node, Node::Variable(_));
            forms.push(TracedForm { position: form.position, source: source.clone(), is_variable });
            forms.len() - 1
        });
        Node::Traced(Box::new(TracedNode { form, node }))
    }
}

fn has_value_to_show(node: &Node) -> bool {
    let is_named = matches!(node, Node::Function(_) | Node::Builtin(_) | Node::CurrentFunction);
    !is_named && !matches!(node, Node::Recur(_)) && !is_constant(node)
}

fn is_constant(node: &Node) -> bool {
    match node {
        Node::Literal(_) | Node::Symbol(_) => true,
        Node::Vector(nodes) | Node::List(nodes) | Node::Map(nodes, _) | Node::Set(nodes, _) => {
            nodes.iter().all(is_constant)
        }
        _ => false,
    }
}
