class Gir: pass
