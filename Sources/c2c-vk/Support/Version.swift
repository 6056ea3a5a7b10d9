/// Which c2c-vk this is: the newest version that CHANGELOG.md names. Raised with every release, here and there.
let programVersion = "0.2.0"
