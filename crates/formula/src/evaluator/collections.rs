//! Values of collections, and of the rarer nodes that hold no others.

use std::rc::Rc;
use std::sync::Arc;

use super::frame::Frame;
use super::node_values;
use crate::error::Result;
use crate::evaluation_context::EvaluationContext;
use crate::node::Node;
use crate::value::Value;
use crate::value::function::{Function, FunctionKind};
use crate::value::map::Map;
use crate::value::set::Set;

/// The value of a collection, or of one of the rarer nodes that hold no others.
pub(super) fn collection_value<const TRACED: bool>(
    ctx: &mut EvaluationContext<'_>,
    frame: &mut Frame<'_>,
    node: &Node,
) -> Result<Value> {
    match node {
        Node::Vector(nodes) => {
            let values = node_values::<TRACED>(ctx, frame, nodes)?;
            Value::vector(&mut ctx.budget, values)
        }
        Node::List(nodes) => {
            let values = node_values::<TRACED>(ctx, frame, nodes)?;
            Value::list(&mut ctx.budget, values)
        }
        Node::Map(nodes, position) => {
            let values = node_values::<TRACED>(ctx, frame, nodes)?;
            let map = Map::from_literal(ctx, values).map_err(|failure| failure.at(*position))?;
            Ok(Value::Map(Rc::new(map)))
        }
        Node::Set(nodes, position) => {
            let values = node_values::<TRACED>(ctx, frame, nodes)?;
            let set = Set::from_literal(ctx, values).map_err(|failure| failure.at(*position))?;
            Ok(Value::Set(Rc::new(set)))
        }
        Node::Symbol(name) => Ok(Value::Symbol(Arc::clone(name))),
        Node::CurrentFunction => Ok(frame.current_function()),
        Node::Builtin(builtin) => {
            let function = Function { kind: FunctionKind::Builtin(builtin), values: Vec::new() };
            Ok(Value::Function(Rc::new(function)))
        }
        _ => Ok(Value::Nil),
    }
}
