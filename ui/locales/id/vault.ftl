# Pertama kali, membuka kunci, bergabung dari perangkat baru.

unlock-title = Buka rekam Anda
unlock-lead = Semua di perangkat ini tersandi dan tetap tertutup sampai Anda membukanya. Tidak perlu sinyal.
unlock-passphrase = Frasa sandi
unlock-open = Buka
unlock-opening = Membuka
unlock-wait = { $seconds ->
   *[other] Bisa dicoba lagi dalam { $seconds } detik
}
unlock-note = Tidak ada yang bisa mengganti frasa sandi ini, dan hanya Anda yang memilikinya.

closed-in-use-title = Mecum sudah terbuka
closed-in-use-text = Mecum lain di perangkat ini sedang membuka rekam Anda. Dua sekaligus bisa merusaknya, jadi yang ini menunggu.
closed-in-use-do = Pakai jendela yang lain, atau tutup dulu lalu coba lagi.
closed-damaged-title = Rekam Anda tidak bisa dibuka
closed-damaged-text = Berkas rekam Anda rusak atau ditulis oleh Mecum yang lebih baru. Tidak ada yang dihapus atau diubah.
closed-damaged-do = Lihat apa yang rusak lalu perbaiki, atau pulihkan dari cadangan.

first-title = Rekam kesehatan yang selalu bersama Anda
first-lead = Mecum menyimpan rekam Anda dan keluarga di perangkat Anda sendiri, tersandi, juga tanpa sinyal.
first-start = Mulai rekam
first-join = Saya punya perangkat lain
first-promise-sealed = Rekam disandikan di perangkat ini sebelum disimpan.
first-promise-offline = Semuanya berjalan tanpa sinyal dan tanpa akun di mana pun.
first-promise-key = Hanya frasa sandi Anda yang membukanya. Kami tidak memilikinya dan tidak bisa menggantinya.
first-promise-write-down = Tulis frasa sandi dan simpan bersama surat-surat Anda. Tanpanya, tak seorang pun bisa membuka rekam Anda.
first-step = Langkah { $at } dari { $of }: { $name }
first-step-passphrase = frasa sandi
first-step-about = tentang Anda
first-passphrase-title = Pilih frasa sandi
first-passphrase-lead = Dari sinilah kunci rekam Anda dibuat. Kami tidak memilikinya dan tidak bisa menggantinya.
first-passphrase-hint = Enam kata yang dibuat di perangkat ini: mudah diucapkan, sulit ditebak orang lain. Anda juga boleh menulis sendiri.
first-other-words = Enam kata lain
first-again = Ketik sekali lagi
first-again-missing = Ketik juga frasa sandi di sini.
first-again-differs = Keduanya tidak sama. Periksa kata ke-{ $at }.
first-strength-0 = Terlalu pendek
first-strength-1 = Mudah ditebak
first-strength-2 = Belum cukup
first-strength-3 = Baik
first-strength-4 = Kuat
first-continue = Lanjut
first-about-title = Rekam siapa ini?
first-about-lead = Milik Anda lebih dulu. Anggota keluarga bisa ditambahkan nanti.
first-name = Nama
first-name-hint = Seperti Anda biasa dipanggil, misalnya “Ibu Ratna”.
first-name-missing = Tulis sebuah nama.
first-born = Tanggal lahir
first-device = Nama perangkat ini
first-device-hint = Terlihat di perangkat Anda yang lain, supaya jelas sesuatu ditulis di mana.
first-device-default = Perangkat saya
first-make = Buat rekam saya
first-making = Membuat rekam Anda

passphrase-too-short = Ini terlalu pendek. Pakai enam kata, atau sedikitnya 14 huruf.
passphrase-too-long = Ini terlalu panjang. Pakai paling banyak 1.000 huruf.
passphrase-too-common = Banyak orang memakai yang ini. Pilih kata lain.
passphrase-too-repetitive = Ini berulang-ulang. Pilih kata yang berbeda.
passphrase-weak = Ini terlalu mudah ditebak. Pilih kata lain.

join-step-code = kodenya
join-title = Gabung dengan perangkat lain
join-lead = Di perangkat yang menyimpan rekam Anda, buka Pengaturan, Perangkat, “Tambah perangkat”. Kodenya muncul di sana.
join-code = Kode
join-code-hint = Ketik kata-katanya, atau tempel teks kodenya.
join-code-missing = Ketik kata-kata yang terlihat di perangkat lain.
join-server = Alamat server
join-server-hint = Tertulis di samping kata-katanya.
join-server-missing = Kata-kata itu perlu alamat server: tertulis di sampingnya.
join-own-passphrase = Perangkat ini punya frasa sandi sendiri. Boleh sama dengan yang lain.
join-waiting-title = Menunggu perangkat Anda yang lain
join-waiting-text = Lihat perangkat yang lain dan katakan bahwa yang ini milik Anda.
join-working-title = Membawa semuanya ke sini
join-working-text = Semuanya tiba dalam keadaan tersandi dan hanya dibuka di perangkat ini.
join-done-title = Perangkat ini milik Anda
join-done-text = Seluruh rekam sudah ada di sini dan terus bertukar dengan yang Anda tulis.
join-ended-title = Perangkat ini tidak ditambahkan
join-safe = Kode itu menunjukkan bahwa kedua perangkat milik Anda. Server tidak bisa membaca apa yang lewat.
join-working-mark = Sedang bekerja
join-open = Buka rekam saya

error-passphrase = { $tries ->
   *[other] Frasa sandi ini tidak membukanya. Sudah { $tries } kali salah; tidak ada yang hilang.
}
error-passphrase-do = Periksa huruf besar dan spasi antarkata.
error-waiting = Terlalu banyak percobaan berturut-turut. Tidak ada yang hilang.
error-waiting-do = Tunggu sebentar, lalu coba lagi.
error-locked = Rekam Anda terkunci.
error-locked-do = Buka dengan frasa sandi Anda.
error-no-vault = Belum ada rekam di perangkat ini.
error-no-vault-do = Mulai rekam, atau gabung dengan perangkat lain.
error-vault-exists = Sudah ada rekam di perangkat ini.
error-vault-exists-do = Buka dengan frasa sandinya.
error-in-use = Mecum lain di perangkat ini sedang membuka rekam Anda.
error-in-use-do = Pakai jendela yang lain, atau tutup dulu lalu coba lagi.
error-damaged = Berkas rekam Anda rusak. Tidak ada yang dihapus.
error-damaged-do = Kembalikan salinan foldernya jika ada, atau bawa rekam dari perangkat lain.
error-too-new = Rekam Anda ditulis oleh Mecum yang lebih baru. Tidak ada yang diubah.
error-too-new-do = Buka dengan Mecum yang lebih baru.
