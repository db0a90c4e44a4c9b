
shop/1
KS