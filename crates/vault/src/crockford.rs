//! Codes that people type: symbols of Crockford's base 32, read forgivingly.

use domain::Random;
use zeroize::Zeroizing;

/// No I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `N` symbols, five bits each.
pub type Symbols<const N: usize> = Zeroizing<[u8; N]>;

/// Fresh ones.
pub fn generate<const N: usize>(random: &Random) -> Symbols<N> {
    let bytes = Zeroizing::new(random.bytes::<N>());
    let mut symbols = Zeroizing::new([0; N]);
    for (symbol, byte) in symbols.iter_mut().zip(bytes.iter()) {
        // 32 divides 256, so no symbol is likelier than another.
        *symbol = ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'0');
    }
    symbols
}

/// Reads what somebody typed: any case, spaces and dashes anywhere, O for 0, I and L for 1.
pub fn parse<const N: usize>(typed: &str) -> Option<Symbols<N>> {
    let mut symbols = Zeroizing::new([0; N]);
    let mut length = 0;
    // Nobody types more separators than symbols a few times over; this bounds the work.
    for character in typed.chars().take(N * 4 + 1) {
        let symbol = match character.to_ascii_uppercase() {
            'O' => b'0',
            'I' | 'L' => b'1',
            ' ' | '-' | '\u{A0}' | '\u{2010}'..='\u{2015}' => continue,
            other => u8::try_from(other).ok().filter(|symbol| ALPHABET.contains(symbol))?,
        };
        *symbols.get_mut(length)? = symbol;
        length += 1;
    }
    (length == N && typed.len() <= N * 12).then_some(symbols)
}

/// As it is shown: groups of so many symbols, with dashes between them.
pub fn to_text<const N: usize>(symbols: &Symbols<N>, group: usize) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(N + N / group));
    for (index, symbol) in symbols.iter().enumerate() {
        if index > 0 && index.is_multiple_of(group) {
            text.push('-');
        }
        text.push(char::from(*symbol));
    }
    text
}
