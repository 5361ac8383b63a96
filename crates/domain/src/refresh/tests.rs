//! The rules of refresh, each shown by a story.
