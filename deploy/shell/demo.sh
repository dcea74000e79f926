# demo: three plants that send data.

plants='host solar wind'

demo_enrol() { :; }
demo_wait() { :; }
