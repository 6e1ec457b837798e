fn main(){ mecum_lib::run() }
