//! What the template of the stack must keep, read from the file itself.

mod function_calls;
mod least_privilege;
mod limits;
mod template;
