//! The nearest place: a balanced kd-tree over points of the unit sphere, laid out in one array.
//!
//! In three dimensions there is no antimeridian and there are no poles. A node is 16 bytes: three f32 and the
//! ordinal of the place. The root of a range is its middle; the axis is the depth modulo three.

use crate::format::Part;

pub(crate) const NODE: usize = 16;

/// One point on its way into the tree.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    pub at: [f32; 3],
    pub ordinal: u32,
}

/// Orders the nodes and writes them down.
pub(crate) fn build(mut nodes: Vec<Node>) -> Vec<u8> {
    arrange(&mut nodes, 0);
    let mut bytes = Vec::with_capacity(nodes.len() * NODE);
    for node in nodes {
        for coordinate in node.at {
            bytes.extend_from_slice(&coordinate.to_le_bytes());
        }
        bytes.extend_from_slice(&node.ordinal.to_le_bytes());
    }
    bytes
}

fn arrange(nodes: &mut [Node], axis: usize) {
    if nodes.len() < 2 {
        return;
    }
    let middle = nodes.len() / 2;
    nodes.select_nth_unstable_by(middle, |a, b| {
        a.at[axis].total_cmp(&b.at[axis]).then(a.ordinal.cmp(&b.ordinal))
    });
    let (before, after) = nodes.split_at_mut(middle);
    arrange(before, (axis + 1) % 3);
    arrange(&mut after[1..], (axis + 1) % 3);
}

/// The tree inside a mapped file.
pub(crate) struct Tree(pub Part);

impl Tree {
    /// Calls `found` with the ordinal and the squared distance of points in reach. `found` answers how far (squared)
    /// the search still reaches, so that "the nearest" shrinks it and "all within" keeps it.
    pub(crate) fn visit(&self, at: [f32; 3], mut reach: f32, found: &mut impl FnMut(u32, f32) -> f32) {
        let (nodes, _) = self.0.as_ref().as_chunks::<NODE>();
        descend(nodes, 0, at, &mut reach, found);
    }
}

// The depth is the logarithm of the number of places, about 18.
fn descend(
    nodes: &[[u8; NODE]],
    axis: usize,
    at: [f32; 3],
    reach: &mut f32,
    found: &mut impl FnMut(u32, f32) -> f32,
) {
    if nodes.is_empty() {
        return;
    }
    let (before, rest) = nodes.split_at(nodes.len() / 2);
    let Some((node, after)) = rest.split_first() else { return };
    let here = decode(node);
    let squared = (0..3).map(|axis| (here.at[axis] - at[axis]).powi(2)).sum();
    if squared <= *reach {
        *reach = found(here.ordinal, squared);
    }
    let beyond = at[axis] - here.at[axis];
    let (near, far) = if beyond < 0.0 { (before, after) } else { (after, before) };
    descend(near, (axis + 1) % 3, at, reach, found);
    if beyond * beyond <= *reach {
        descend(far, (axis + 1) % 3, at, reach, found);
    }
}

fn decode(bytes: &[u8; NODE]) -> Node {
    let word = |index: usize| [bytes[index], bytes[index + 1], bytes[index + 2], bytes[index + 3]];
    Node {
        at: [f32::from_le_bytes(word(0)), f32::from_le_bytes(word(4)), f32::from_le_bytes(word(8))],
        ordinal: u32::from_le_bytes(word(12)),
    }
}
