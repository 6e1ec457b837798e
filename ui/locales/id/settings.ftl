# Pengaturan, bahasa dan tampilan.

settings-opening = Membuka pengaturan
settings-saved = Tersimpan
settings-devices = Perangkat
settings-devices-about = Perangkat Anda, server, tambah perangkat
settings-lock = Penguncian
settings-auto-lock = Mengunci otomatis
settings-auto-lock-hint = Bila Mecum tidak dipakai selama ini.
settings-auto-lock-never = Jangan pernah
settings-auto-lock-after = { $count ->
   *[other] Setelah { $count } menit
}
settings-lock-now = Kunci sekarang
settings-this-device = Perangkat ini
settings-about = Tentang Mecum
settings-version = Versi { $version }
settings-licences = Huruf: Atkinson Hyperlegible Next (OFL). Ikon: Lucide (ISC). Mecum tidak mendiagnosis dan tidak memberi saran dosis.

display-title = Bahasa dan tampilan
display-language = Bahasa
language-id = Indonesian
language-en = Inggris
display-text-size = Ukuran teks
display-smaller = Perkecil teks
display-larger = Perbesar teks
display-percent = { $percent } %
display-sample = HbA1c 7,8 %, di atas rentang
display-sample-letters = Il1 O0 mudah dibedakan
display-look = Tema
display-light = Terang
display-dark = Gelap
display-system = Ikut perangkat
display-contrast = Kontras lebih kuat
display-contrast-hint = Teks dan garis lebih gelap, tanpa warna latar
display-less-movement = Kurangi gerak
display-less-movement-hint = Tanpa geser, tanpa pudar
