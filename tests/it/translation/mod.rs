//! The bridge between X12 and the domain: hand-made documents in, hand-made documents out, and every outbound document
//! judged by the engine that judges what we receive.

mod corpus;
mod golden_inbound;
mod golden_invoice;
mod golden_response;
mod golden_ship_notice;
mod house;
mod round_trip;
mod rules;
mod samples;
