# Obat dan perbedaan nilai.

medicines-title = Obat
medicines-opening = Membuka daftar obat
medicines-add = Tambah
medicines-allergy = Alergi: { $what }
medicines-allergies = Alergi: { $what }
medicines-current = Sedang diminum
medicines-past = Pernah diminum
medicines-past-show = { $count } obat pernah diminum
medicines-empty-title = Belum ada obat tertulis
medicines-empty-text = Obat { $name }, berapa banyak dan seberapa sering, akan muncul di sini.
medicines-on-hold = Ditahan
medicines-settle-first = tentukan dulu dosisnya
medicines-since = sejak { $when }
medicines-reason = untuk { $reason }
medicines-by = dari { $who }
medicines-no-dose = dosis belum ditulis
medicines-unit-h = jam
medicines-unit-d = hari
medicines-unit-wk = minggu
medicines-unit-mo = bulan
medicines-times-a = { $count } kali se{ $unit }
medicines-times-every = { $count } kali tiap { $every } { $unit }
medicines-none-now = Tidak ada yang tertulis sedang diminum.

clash-title = { $title }: { $count ->
    [2] dua nilai
    [3] tiga nilai
   *[other] { $count } nilai
} untuk { $field }
clash-title-dose = { $title }: { $count ->
    [2] dua dosis tertulis
    [3] tiga dosis tertulis
   *[other] { $count } dosis tertulis
}
clash-wrote = menulis
clash-own = Anda, di perangkat ini
clash-empty = kosong
clash-nothing-chosen = Tidak ada yang dipilihkan untuk Anda.
clash-agreed = Terakhir disepakati: { $value }, oleh { $author }, { $when }.
clash-agreed-none = Tidak ada nilai sebelumnya yang sama.
clash-settle = Tentukan
clash-settle-dose = Tentukan dosisnya
clash-settle-label = Tentukan { $title }, { $field }

settle-title = Tentukan { $field } untuk { $title }
settle-title-dose = Tentukan dosis { $title }
settle-intro = { $authors } menulis nilai berbeda saat keduanya tanpa sinyal. Mecum tidak pernah memilihkan.
settle-intro-one = { $authors } menulis nilai berbeda di dua perangkat saat keduanya tanpa sinyal. Mecum tidak pernah memilihkan.
settle-agreed = Terakhir disepakati
settle-and = dan
settle-which = Mana yang benar?
settle-as = { $value }, seperti ditulis { $author }
settle-matches = Sama dengan nilai yang terakhir disepakati.
settle-differs = Berbeda dari nilai yang terakhir disepakati, { $value }.
settle-on = { $device }, { $when }
settle-hold = Sampai ditentukan, ini tetap ditahan.
settle-hold-text = Semua perangkat Anda melihat pilihan ini dan siapa yang memilih. Kedua nilai bisa dikembalikan dari riwayat.
settle-later = Nanti saja
settle-save = Simpan pilihan ini
settle-choose-first = Pilih salah satu dahulu
settle-saved = Ditentukan: { $value }
settle-done-title = Ini sudah ditentukan
settle-done-text = Sudah ada yang menentukannya, di perangkat ini atau yang lain. Riwayat menyimpan kedua nilai.
