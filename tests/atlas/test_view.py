from rare_neurons.atlas.view import Content, View


def test_text_is_escaped():
    assert Content.escaped("<b> & 'c'") == "&lt;b&gt; &amp; &#x27;c&#x27;"


def test_a_view_knows_its_function_and_its_script():
    view = View("verdict", "What is found", "In one sentence", "", ("integrity",))
    assert view.load().__module__ == "rare_neurons.atlas.views.verdict"
    assert 'atlas.view("verdict"' in view.script


def test_a_view_without_a_script_has_none():
    assert View("nothing", "", "", "", ()).script == ""
