//! A warning before a post names a person: staff and other patients have not agreed to stand in a room.
//!
//! It finds a title with a name ("dr. Sari", "suster Ani", "Bu Ratna", "Mr Tan") and names of practitioners that the hospital's
//! directory has. It reads on the writer's device, before the post is sent, and warns: whoever means it posts as it is. It reports to
//! nobody. It does not find a name without a title that is in no directory, and takes some words for names ("Sari" is also juice). A
//! warning at every second sentence is read by nobody: in lower case, what follows a profession is a name only where the directory has
//! it ("dokter menyarankan puasa" names nobody).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::folding::{Word, folded, words};

/// Where a text seems to name a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mention {
    /// The first byte, of the title where there is one.
    pub from: usize,
    /// The byte after the last.
    pub to: usize,
}

/// How sure a title makes that a name follows. After each of them, a part of a name of the directory counts in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Title {
    /// Short for one: a full stop may follow, and names in lower case count.
    Short,
    /// A profession: a capital has to follow.
    Full,
    /// Also said to anybody, or of one's own family: a capital has to follow.
    Address,
    /// Short for one, but also for other words: a capital has to follow, or a full stop and then the name.
    Doubtful,
}

/// Titles as they are compared: without case, and with one letter for two.
const TITLES: &[(&str, Title)] = &[
    ("dr", Title::Doubtful),
    ("drg", Title::Short),
    ("prof", Title::Short),
    ("mr", Title::Short),
    ("mrs", Title::Short),
    ("ms", Title::Doubtful),
    ("bpk", Title::Short),
    ("sr", Title::Doubtful),
    ("doctor", Title::Full),
    ("dokter", Title::Full),
    ("profesor", Title::Full),
    ("suster", Title::Full),
    ("ners", Title::Full),
    ("ns", Title::Short),
    ("perawat", Title::Full),
    ("bidan", Title::Full),
    ("nurse", Title::Full),
    ("midwife", Title::Full),
    ("bu", Title::Address),
    ("ibu", Title::Address),
    ("pak", Title::Address),
    ("bapak", Title::Address),
    ("mas", Title::Address),
    ("mbak", Title::Address),
    ("mis", Title::Address),
    ("mister", Title::Address),
    ("sister", Title::Address),
    ("mba", Title::Address),
    ("kak", Title::Address),
    ("nona", Title::Address),
    ("tuan", Title::Address),
    ("nyonya", Title::Address),
    ("ny", Title::Short),
    ("tn", Title::Short),
    ("n", Title::Doubtful),
    ("br", Title::Doubtful),
    ("zr", Title::Short),
];

/// What stands between a title and a name, and is of neither: "dokter gigi Maya".
const SPECIALTIES: &str = "
    anak anestesi bedah dalam gigi gizi jaga jantung jiwa kandungan kepala kulit mata mulut ortopedi paru penyakit poli ruang ruangan
    saraf spesialis telinga tht tulang umum
";

/// Words that follow a title and are no names.
const NOT_NAMES: &str = "
    about after again ahli aja akan aku ambil anak and anda apa apakah appointment are as asked at atau baik
    baru bedah before beliau belum berkata bilang bisa bukan but came can clinic could dalam dan dari datang
    dengan di dia did does for from gave gigi google guru had hamil has have he her his hospital how i if igd
    in ini is it itu jaga jantung jika juga kalau kamar kami kandungan karena kata katanya ke keluarga
    kemarin kemudian kepala kerja kita kota kulit lain lalu lama langsung lupa mana masih mata mau
    mengatakan menyusui mereka minta muda my nama namanya negara never no not of on or our pada panggil paru
    penyakit pernah praktek praktik pribadi puskesmas ramah ruang rumah said saja sakit sama sangat saraf
    saat saya says sedang sekali she should siapa so spesialis sudah suka suruh tadi telah telinga terima
    tetapi that the they this tidak to told tolong tua umum untuk visit was we were what when who will with
    would yang you your
";

/// Most words of a name that are taken along.
const MOST_WORDS: usize = 4;

/// Fewest letters of a part of a practitioner's name that stands for them by itself.
const LEAST_LETTERS: usize = 4;

/// Most words of a specialty.
const MOST_OF_SPECIALTY: usize = 3;

/// A part of a practitioner's name.
struct Part {
    folded: String,
    letters: usize,
}

/// Where a text seems to name somebody, in order and never over each other. `practitioners` are names as the directory has them, with
/// titles and degrees: [`crate::Practitioner::name`].
pub fn mentions<'a>(text: &str, practitioners: impl IntoIterator<Item = &'a str>) -> Vec<Mention> {
    let all = words(text);
    let names: Vec<Vec<Part>> = practitioners.into_iter().map(parts_of).collect();
    let known: BTreeSet<&str> = names.iter().flatten().map(|part| part.folded.as_str()).collect();
    let mut found: Vec<Mention> =
        (0..all.len()).filter_map(|at| titled(text, all.get(at..)?, &known)).collect();
    for name in &names {
        listed(text, &all, name, &mut found);
    }
    found.sort_unstable();
    let mut apart: Vec<Mention> = Vec::new();
    for mention in found {
        match apart.last_mut().filter(|last| mention.from < last.to) {
            Some(last) => last.to = last.to.max(mention.to),
            None => apart.push(mention),
        }
    }
    apart
}

fn title_of(word: &Word) -> Option<Title> {
    TITLES.iter().find(|(title, _)| *title == word.folded).map(|(_, title)| *title)
}

fn may_be_name(word: &Word) -> bool {
    static NOT: LazyLock<BTreeSet<String>> =
        LazyLock::new(|| NOT_NAMES.split_whitespace().map(folded).collect());
    title_of(word).is_none()
        && !NOT.contains(&word.folded)
        && !is_specialty(word)
        && !word.folded.starts_with(|c: char| c.is_ascii_digit())
}

fn is_specialty(word: &Word) -> bool {
    static ALL: LazyLock<BTreeSet<String>> =
        LazyLock::new(|| SPECIALTIES.split_whitespace().map(folded).collect());
    ALL.contains(&word.folded)
}

fn between<'a>(text: &'a str, one: &Word, next: &Word) -> &'a str {
    text.get(one.to..next.from).unwrap_or_default().trim()
}

/// A title at the first of these words, with the name that follows.
fn titled(text: &str, words: &[Word], known: &BTreeSet<&str>) -> Option<Mention> {
    let (title, mut rest) = words.split_first()?;
    let kind = title_of(title)?;
    let (mut before, mut direct) = (title, true);
    for _ in 0..MOST_OF_SPECIALTY {
        match rest {
            [word, after @ ..]
                if kind != Title::Address && is_specialty(word) && between(text, before, word).is_empty() =>
            {
                (before, rest, direct) = (word, after, false);
            }
            _ => break,
        }
    }
    let [name, rest @ ..] = rest else { return None };
    let gap = between(text, before, name);
    let stop = direct && gap == "." && matches!(kind, Title::Short | Title::Doubtful);
    let sure = match kind {
        Title::Short => direct,
        Title::Doubtful => stop,
        Title::Full | Title::Address => false,
    };
    let listed = known.contains(name.folded.as_str());
    if !(gap.is_empty() || stop) || !(name.capital || sure || listed) || !may_be_name(name) {
        return None;
    }
    let mut last = name;
    for word in rest.iter().take(MOST_WORDS - 1) {
        if !word.capital || !may_be_name(word) || !between(text, last, word).is_empty() {
            break;
        }
        last = word;
    }
    Some(Mention { from: title.from, to: last.to })
}

/// The parts of a name without its titles, degrees and initials.
fn parts_of(name: &str) -> Vec<Part> {
    let before_degrees = name.split(',').next().unwrap_or(name);
    let part = |word: Word| {
        let letters = before_degrees.get(word.from..word.to).map_or(0, |part| part.chars().count());
        (title_of(&word).is_none() && letters > 1).then_some(Part { folded: word.folded, letters })
    };
    words(before_degrees).into_iter().filter_map(part).collect()
}

/// Where a practitioner is named without a title: by the whole name of more than one word in any case, or by a part of it with a
/// capital that does not begin a sentence. Many names are words as well: "Hari ini" is today.
fn listed(text: &str, words: &[Word], name: &[Part], found: &mut Vec<Mention>) {
    if name.len() > 1 {
        for at in words.windows(name.len()) {
            if let ([first, .., last], true) =
                (at, at.iter().zip(name).all(|(word, part)| word.folded == part.folded))
            {
                found.push(Mention { from: first.from, to: last.to });
            }
        }
    }
    for (before, word) in words.iter().zip(words.iter().skip(1)).filter(|(_, word)| word.capital) {
        let begins = between(text, before, word).contains(['.', '!', '?', '\n']);
        let begins = begins && title_of(before).is_none();
        let part = |part: &Part| part.letters >= LEAST_LETTERS && part.folded == word.folded;
        if !begins && name.iter().any(part) {
            found.push(Mention { from: word.from, to: word.to });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAFF: [&str; 3] = ["dr. Sari Wulandari, Sp.PD", "Ns. Budi H. Santoso, S.Kep", "Prof. Dr. Li Na"];

    fn named(text: &str) -> Vec<&str> {
        mentions(text, STAFF).into_iter().filter_map(|found| text.get(found.from..found.to)).collect()
    }

    #[test]
    fn a_title_with_a_name_is_found() {
        for (text, name) in [
            ("kata dr. Hasan begitu", "dr. Hasan"),
            ("kata Dr Hasan Basri begitu", "Dr Hasan Basri"),
            ("dr. hasan bilang tidak apa", "dr. hasan"),
            ("drg Maya", "drg Maya"),
            ("Suster Ani, tolong", "Suster Ani"),
            ("tadi ada Bu Ratna", "Bu Ratna"),
            ("PAK JOKO yang jaga", "PAK JOKO"),
            ("Mr Tan said so", "Mr Tan"),
            ("thanks to mrs. o'neil", "mrs. o'neil"),
            ("Ms. Lim was kind", "Ms. Lim"),
            ("nurse Ayu Lestari came", "nurse Ayu Lestari"),
            ("bidan Éka", "bidan Éka"),
            ("dokter gigi Maya bilang", "dokter gigi Maya"),
            ("dokter anak Sari baik", "dokter anak Sari"),
            ("dokter umum Budi", "dokter umum Budi"),
            ("dokter spesialis penyakit dalam Tono", "dokter spesialis penyakit dalam Tono"),
            ("kamar sebelah Ny. Siti", "Ny. Siti"),
            ("Tn. budi di bangsal", "Tn. budi"),
            ("ada Nn. Rina juga", "Nn. Rina"),
            ("kak Dina yang jaga", "kak Dina"),
            ("mba Wati", "mba Wati"),
            ("Br. Joko dan Zr. Ema", "Br. Joko"),
        ] {
            assert!(!mentions(text, []).is_empty(), "{text}");
            assert_eq!(named(text).first(), Some(&name), "{text}");
        }
    }

    #[test]
    fn a_practitioner_of_the_directory_is_found_without_a_title() {
        assert_eq!(named("ke sari wulandari saja"), ["sari wulandari"], "the whole name");
        assert_eq!(named("I think Wulandari was kind"), ["Wulandari"], "a part of it");
        assert_eq!(named("sama Santoso dan dr Wulandari"), ["Santoso", "dr Wulandari"], "each once");
        assert_eq!(named("li na told me"), ["li na"], "a short one, whole");
        assert_eq!(mentions("sari wulandari", []), [], "nobody of a directory that is not there");
    }

    #[test]
    fn a_practitioner_of_the_directory_is_found_in_lower_case_after_any_title() {
        let staff =
            ["dr. Sari Wulandari, Sp.PD", "Ratna, S.Kep", "dr. Joko P.", "dr. Suharto", "Ns. Ani Lim"];
        for (text, name) in [
            ("kata dr sari galak", "dr sari"),
            ("ketemu bu ratna tadi", "bu ratna"),
            ("pak joko yang jaga", "pak joko"),
            ("sama dokter suharto", "dokter suharto"),
            ("suster ani galak", "suster ani"),
            ("dokter gigi wulandari", "dokter gigi wulandari"),
        ] {
            let found = mentions(text, staff);
            let found: Vec<_> = found.iter().map(|found| text.get(found.from..found.to)).collect();
            assert_eq!(found, [Some(name)], "{text}");
        }
    }

    #[test]
    fn a_name_that_is_a_word_as_well_is_none_where_a_sentence_begins() {
        let staff = ["dr. Hari Santoso", "dr. Indah", "dr. Bagus Putra", "Rán"];
        for text in
            ["Hari ini sehat", "Sudah baik. Indah sekali hidup", "Puji Tuhan!\nBagus", "hari bagus", "ke Rán"]
        {
            assert_eq!(mentions(text, staff), [], "{text}");
        }
        assert_eq!(mentions("tadi dengan Indah di poli", staff).len(), 1, "within one it is");
    }

    #[test]
    fn what_names_nobody_warns_of_nothing() {
        for text in [
            "",
            "saya ke dokter kemarin",
            "Dokter spesialis jantung bilang boleh",
            "kata dokter. Besok kontrol",
            "the doctor said it is fine",
            "the nurse told me to wait",
            "Ibu saya diabetes, bapak juga",
            "ibu hamil boleh puasa?",
            "terima kasih bu, saya coba",
            "Ibu Saya sudah sehat",
            "saya dr rumah langsung ke sini",
            "suster yang jaga ramah",
            "makan sari buah",
            "Na, itu dia",
            "5 ms lagi",
            "dr. 5 tahun lalu",
            "pak tolong dibantu",
            "Dr Google is not a doctor",
            "dokter menyarankan puasa",
            "dokter meresepkan metformin lagi",
            "the doctor prescribed something else",
            "nurse smiled and left",
            "perawat memasang infus di tangan kiri",
            "bidan memeriksa tekanan darah",
            "suster menimbang bayi saya",
            "my midwife recommends walking",
            "dokter gigi mencabut geraham saya",
            "dokter anak menyuntik vaksin",
            "Dokter menaikkan dosis insulin",
            "pak sopir menunggu di depan",
            "kata dokter kemungkinan besar boleh",
        ] {
            assert_eq!(named(text), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn titles_are_as_they_are_compared() {
        for (title, _) in TITLES {
            assert_eq!(folded(title), *title, "one letter for two");
        }
    }
}
