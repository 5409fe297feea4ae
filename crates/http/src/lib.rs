//! The HTTP interface: the API for programs ([`api`]), the pages for people ([`page`]), and what both do in the same
//! way ([`web`]). Each part of the API is a router over the ports, so that a Lambda function can serve it alone.

pub mod api;
pub mod page;
pub mod web;
