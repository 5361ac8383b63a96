//! Latin spellings of names in other scripts, for places that the data does not name in the user's script.
//!
//! Rough on purpose: the spelling only has to come within a typo or two of a real one. Scripts that leave vowels out,
//! or whose signs stand for words, cannot be spelled like this.

/// The Latin spelling of a folded text in Greek, Cyrillic, Devanagari or Hangul; `None` for other scripts.
pub(super) fn romanise(folded: &str) -> Option<String> {
    let mut latin = String::with_capacity(folded.len());
    let mut rest = folded;
    let mut any = false;
    while let Some(letter) = rest.chars().next() {
        if let Some((sign, spelling)) = PAIRS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            latin.push_str(spelling);
            rest = &rest[sign.len()..];
            any = true;
            continue;
        }
        rest = &rest[letter.len_utf8()..];
        if letter.is_ascii() {
            latin.push(letter);
        } else {
            latin.push_str(
                greek(letter)
                    .or_else(|| cyrillic(letter))
                    .or_else(|| devanagari(letter))
                    .or_else(|| hangul(letter))?,
            );
            any = true;
        }
    }
    (any && !latin.is_empty()).then_some(latin)
}

/// Two Greek letters for one sound.
const PAIRS: [(&str, &str); 9] = [
    ("ου", "u"),
    ("μπ", "b"),
    ("ντ", "d"),
    ("γκ", "g"),
    ("τσ", "ch"),
    ("τζ", "j"),
    ("ει", "i"),
    ("οι", "i"),
    ("αι", "e"),
];

fn greek(letter: char) -> Option<&'static str> {
    Some(match letter {
        'α' => "a",
        'β' => "v",
        'γ' => "g",
        'δ' => "d",
        'ε' => "e",
        'ζ' => "z",
        'η' | 'ι' => "i",
        'θ' => "th",
        'κ' => "k",
        'λ' => "l",
        'μ' => "m",
        'ν' => "n",
        'ξ' => "x",
        'ο' | 'ω' => "o",
        'π' => "p",
        'ρ' => "r",
        'σ' => "s",
        'τ' => "t",
        'υ' => "y",
        'φ' => "f",
        'χ' => "h",
        'ψ' => "ps",
        _ => return None,
    })
}

fn cyrillic(letter: char) -> Option<&'static str> {
    Some(match letter {
        'а' => "a",
        'б' => "b",
        'в' => "v",
        'г' | 'ґ' => "g",
        'д' => "d",
        'е' | 'э' => "e",
        'є' => "ye",
        'ж' => "zh",
        'з' => "z",
        'и' | 'і' => "i",
        'к' | 'ќ' => "k",
        'л' => "l",
        'м' => "m",
        'н' => "n",
        'о' => "o",
        'п' => "p",
        'р' => "r",
        'с' => "s",
        'т' => "t",
        'у' => "u",
        'ф' => "f",
        'х' => "kh",
        'ц' => "ts",
        'ч' | 'ћ' => "ch",
        'ш' => "sh",
        'щ' => "shch",
        'ъ' | 'ь' => "",
        'ы' => "y",
        'ю' => "yu",
        'я' => "ya",
        'ј' => "j",
        'љ' => "lj",
        'њ' => "nj",
        'ђ' => "dj",
        'џ' => "dz",
        _ => return None,
    })
}

/// Without the vowel that every consonant carries unless a sign says otherwise: folding removed that sign.
fn devanagari(letter: char) -> Option<&'static str> {
    Some(match letter {
        'अ' | 'आ' | 'ा' => "a",
        'इ' | 'ई' | 'ि' | 'ी' => "i",
        'उ' | 'ऊ' | 'ु' | 'ू' => "u",
        'ऋ' | 'ृ' => "ri",
        'ए' | 'े' | 'ऍ' | 'ॅ' => "e",
        'ऐ' | 'ै' => "ai",
        'ओ' | 'ो' | 'ऑ' | 'ॉ' => "o",
        'औ' | 'ौ' => "au",
        'ं' | 'ँ' | 'न' | 'ण' | 'ङ' | 'ञ' => "n",
        'क' => "k",
        'ख' => "kh",
        'ग' => "g",
        'घ' => "gh",
        'च' => "ch",
        'छ' => "chh",
        'ज' => "j",
        'झ' => "jh",
        'ट' | 'त' => "t",
        'ठ' | 'थ' => "th",
        'ड' | 'द' => "d",
        'ढ' | 'ध' => "dh",
        'प' => "p",
        'फ' => "f",
        'ब' => "b",
        'भ' => "bh",
        'म' => "m",
        'य' => "y",
        'र' => "r",
        'ल' | 'ळ' => "l",
        'व' => "v",
        'श' | 'ष' => "sh",
        'स' => "s",
        'ह' => "h",
        'ः' => "",
        _ => return None,
    })
}

/// Folding takes syllables apart into first consonant, vowel, last consonant; each has code points of its own.
fn hangul(letter: char) -> Option<&'static str> {
    const FIRST: [&str; 19] =
        ["g", "k", "n", "d", "t", "r", "m", "b", "p", "s", "s", "", "j", "j", "ch", "k", "t", "p", "h"];
    // The neutral vowel only fills in between foreign consonants.
    const VOWEL: [&str; 21] = [
        "a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi",
        "yu", "", "ui", "i",
    ];
    const LAST: [&str; 27] = [
        "k", "k", "k", "n", "n", "n", "t", "l", "l", "l", "l", "l", "l", "l", "l", "m", "p", "p", "t", "t",
        "ng", "t", "t", "k", "t", "p", "t",
    ];
    let code = letter as usize;
    let within = |table: &[&'static str], start: usize| table.get(code.checked_sub(start)?).copied();
    within(&LAST, 0x11a8).or_else(|| within(&VOWEL, 0x1161)).or_else(|| within(&FIRST, 0x1100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::fold;

    #[test]
    fn spellings_come_near_the_real_name() {
        for (name, latin) in [
            ("Σαμαρκάνδη", "samarkandi"),
            ("Χάλιφαξ", "halifax"),
            ("Стенли", "stenli"),
            ("मनौस", "mnaus"),
            ("폰티아나크", "pontianak"),
            ("Нью York", "nyu york"),
        ] {
            assert_eq!(romanise(&fold(name)).as_deref(), Some(latin), "{name}");
        }
        for name in ["Lisbon", "東京", "القاهرة", "", "ь"] {
            assert_eq!(romanise(&fold(name)), None, "{name}");
        }
    }
}
