"""Writes cases.json: what Jinja2 3.1.6 makes of the templates below, set up as transformers sets it up for chat templates.

    python3 make.py
"""

import json
import pathlib

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

VARIABLES = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Grüße, \u4e16\u754c!  "},
        {"role": "assistant", "content": "<think>\nhm\n</think>\n\nHi & bye", "tool_calls": [
            {"function": {"name": "f", "arguments": {"x": 1, "y": [True, None, 2.5]}}}]},
    ],
    "tools": [{"type": "function", "function": {"name": "get", "parameters": {"b": 1, "a": {"c": "<é>"}}}}],
    "numbers": [3, 1, 2, 10, 7],
    "names": ["b", "A", "c", "a", "B"],
    "people": [{"name": "Zoe", "age": 30, "at": {"city": "Rom"}}, {"name": "adam", "age": 25, "at": {"city": "Ulm"}},
               {"name": "Bea", "age": 30, "at": {"city": "Rom"}}],
    "text": "The quick  brown\tfox\njumps over\n\nthe lazy dog",
    "accents": "Straße ÉTÉ ǆ ﬁ",
    "empty": "",
    "zero": 0,
    "nothing": None,
    "yes": True,
    "pi": 3.14159,
    "big": 123456789012,
    "d": {"one": 1, "two": [1, 2], "items": "shadowed", "a b": 5},
    "add_generation_prompt": True,
    "bos_token": "<s>",
}

TEMPLATES = r"""
plain text
{{ text }}
{{ missing }}|{{ d.missing }}|{{ messages[0].nope }}
{{ missing.attribute }}
{{ missing + 1 }}
{{ nothing }} {{ yes }} {{ zero }} {{ pi }} {{ big * 1000 }}
{{ [1, 'two', 3.0, none, true, missing] }} {{ {'a': 1, "b": [1, (2,), ()]} }} {{ (1, 2) }}
{{ 'it\'s' }} {{ "a\nb\t\x41\u00e9" }} {{ ["it's", 'say "x"', "both ' and \"", "é\n\x00\u200b"] }}
{{ 1 + 2 * 3 - 4 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ -2 ** 2 }}
{{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 1e3 }} {{ 1.5e-7 }} {{ 1e22 }} {{ 0.1 + 0.2 }} {{ 100000.0 * 1e12 }} {{ 1_000 }} {{ 0x1f }} {{ 0b11 }} {{ 0o17 }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 'a' + 1 }}
{{ 'a' * 3 }} {{ [1] * 2 + [3] }} {{ (1,) + (2,) }} {{ 'a' ~ 1 ~ none ~ [1] }}
{{ 1 < 2 < 3 }} {{ 1 < 2 > 3 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 1 == 1.0 == true }} {{ 'a' != 'b' }} {{ 1 <= 1 }} {{ 2 >= 3 }}
{{ 'a' < 1 }}
{{ not yes }} {{ not zero or zero }} {{ yes and 'x' }} {{ nothing or 'y' }} {{ 1 in [1, 2] }} {{ 3 not in [1, 2] }} {{ 'ick' in text }} {{ 'one' in d }} {{ 1 in d }}
{{ 1 in 'abc' }}
{{ 'yes' if yes else 'no' }} {{ 'x' if nothing }}| {{ 'a' if zero else 'b' if nothing else 'c' }}
{{ numbers[0] }} {{ numbers[-1] }} {{ numbers[99] }}| {{ numbers[1:3] }} {{ numbers[::-1] }} {{ numbers[:-1] }} {{ numbers[-2:] }} {{ numbers[::2] }} {{ numbers[5:1:-2] }} {{ text[4:9] }} {{ text[-3:] }} {{ text[::-1] }} {{ text[0] }} {{ accents[3] }}
{{ numbers[::0] }}
{{ numbers['x'] }}| {{ d['a b'] }} {{ d['items'] }} {{ d.items() | list }} {{ d.get('one') }} {{ d.get('x', 'fallback') }} {{ d.get('x') }} {{ d.keys() | list }} {{ d.values() | list }} {{ d.one }} {{ d['one'] }}
{{ d.items() }} {{ d.keys() }} {{ d.values() }} {{ range(3) }} {{ range(1, 10, 3) | list }} {{ range(3)[1] }} {{ range(5, 0, -2) | list }} {{ range(10)[2:5] }}
{% for m in messages %}{{ loop.index }}:{{ m.role }}{% if not loop.last %}, {% endif %}{% endfor %}
{% for m in messages %}{{ loop.index0 }} {{ loop.revindex }} {{ loop.revindex0 }} {{ loop.first }} {{ loop.last }} {{ loop.length }} {{ loop.depth }} {{ loop.depth0 }} {{ loop.previtem.role if not loop.first }} {{ loop.nextitem.role if loop.nextitem is defined }} {{ loop.cycle('a', 'b') }} {{ loop.changed(m.role[0]) }};{% endfor %}
{% for x in [] %}x{% else %}none{% endfor %}|{% for x in missing %}x{% else %}undefined{% endfor %}
{% for x in nothing %}x{% endfor %}
{% for x in 5 %}x{% endfor %}
{% for a, b in d.items() %}{{ a }}={{ b }};{% endfor %}{% for k in d %}{{ k }},{% endfor %}{% for c in 'aé' %}{{ c }}-{% endfor %}
{% for a, b in [(1, 2, 3)] %}{{ a }}{% endfor %}
{% for n in numbers if n > 2 %}{{ n }}@{{ loop.index }}/{{ loop.length }} {% endfor %}
{% for n in numbers %}{% if n == 2 %}{% continue %}{% endif %}{% if n == 10 %}{% break %}{% endif %}{{ n }}{% endfor %}
{% for p in people recursive %}{{ p.name }}{% if loop.depth < 3 %}({{ loop([{'name': 'x'}]) }}){% endif %}{% endfor %}
{% for i in range(3) %}{% for j in range(2) %}{{ loop.depth }}{{ i }}{{ j }} {% endfor %}{% endfor %}
{% set x = 1 %}{% for i in [1, 2] %}{% set x = i %}{% endfor %}{{ x }}
{% set ns = namespace(found=false, n=0) %}{% for i in range(4) %}{% set ns.n = ns.n + i %}{% set ns.found = true %}{% endfor %}{{ ns.found }} {{ ns.n }} {{ ns.missing }}
{% set d.x = 1 %}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, e) = [3, 4] %}{{ c }}{{ e }}
{% set block %}some {{ yes }} text{% endset %}{{ block }} {{ block | length }}{% set up | upper %}abc{% endset %}{{ up }}
{% if zero %}a{% elif nothing %}b{% elif yes %}c{% else %}d{% endif %}
{% macro greet(name, greeting='Hello', *, end) %}{% endmacro %}
{% macro greet(name, greeting='Hello') %}{{ greeting }}, {{ name }}!{% endmacro %}{{ greet('Ann') }} {{ greet('Bob', greeting='Hi') }} {{ greet() }}
{% macro m() %}{{ varargs }} {{ kwargs }}{% endmacro %}{{ m(1, 2, a=3) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}
{% macro dialog(title) %}<{{ title }}>{{ caller() }}</{{ title }}>{% endmacro %}{% call dialog('x') %}inner {{ yes }}{% endcall %}
{% macro list(items) %}{% for i in items %}{{ caller(i, loop.index) }};{% endfor %}{% endmacro %}{% call(item, n) list(numbers) %}{{ n }}:{{ item }}{% endcall %}
{% macro f(n) %}{{ n }}{% if n > 0 %} {{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}
{% filter upper %}abc {{ text[:3] }}{% endfilter %} {% filter replace('a', 'b') | upper %}banana{% endfilter %}
{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{% with %}{% set q = 5 %}{{ q }}{% endwith %}{{ q }}
{% raw %}{{ not rendered }} {% nor this %}{% endraw %} {# a comment #}after
{% generation %}inside {{ yes }}{% endgeneration %}
{%- for x in [1, 2] -%}  {{ x }}  {%- endfor -%}  end
  {%- if yes %} a {%+ if yes %} b {% endif -%}   {% endif +%}  c
a {{- ' b ' -}} c {#- gone -#} d
{{ 'unterminated
{% if yes %}no end
{% endif %}
{% unknown_tag %}
{{ 1 + }}
{{ (1, 2 }}
{{ x | nofilter }}
{{ x is notest }}
{% for x in y %}{% endwith %}
{{ 5 5 }}
{{ abs(1) }}
{{ text.nope() }}
{{ numbers.append(1) }}
{{ d.update({'a': 1}) }}
{{ d.pop('one') }}
{{ ''.__class__ }}|{{ d.__class__.__mro__ }}
{{ raise_exception('no ' ~ 'way') }}
{{ range(1000000) }}
{{ text | upper }} {{ text | lower }} {{ text | capitalize }} {{ text | title }} {{ accents | upper }} {{ accents | lower }} {{ "o'neil foo-bar (baz) x_y" | title }}
{{ text | length }} {{ numbers | count }} {{ d | length }} {{ accents | length }}
{{ 5 | length }}
{{ '  x y ' | trim }}| {{ 'xxyxx' | trim('x') }} {{ '\n a \t' | trim }}|
{{ numbers | join(', ') }} {{ numbers | join }} {{ people | join('-', attribute='name') }} {{ people | map(attribute='at.city') | join('/') }}
{{ numbers | sort }} {{ numbers | sort(reverse=true) }} {{ names | sort }} {{ names | sort(case_sensitive=true) }} {{ people | sort(attribute='age') | map(attribute='name') | list }} {{ people | sort(attribute='age,name', reverse=true) | map(attribute='name') | list }}
{{ names | unique | list }} {{ names | unique(case_sensitive=true) | list }} {{ numbers | min }} {{ numbers | max }} {{ names | max }} {{ [] | min }}| {{ people | max(attribute='age') }}
{{ numbers | sum }} {{ people | sum(attribute='age') }} {{ [1.5, 2] | sum(start=10) }} {{ numbers | first }} {{ numbers | last }} {{ [] | first }}| {{ 'abc' | first }} {{ 'abc' | last }}
{{ numbers | reverse | list }} {{ 'abc' | reverse }} {{ numbers | list }} {{ 'abc' | list }} {{ d | list }}
{{ people | groupby('age') | list }} {% for age, group in people | groupby('age') %}{{ age }}: {{ group | map(attribute='name') | join(',') }};{% endfor %} {% for g in people | groupby('at.city') %}{{ g.grouper }}{{ g.list | length }}{% endfor %}
{{ numbers | select('gt', 2) | list }} {{ numbers | select('odd') | list }} {{ numbers | reject('even') | list }} {{ [0, 1, '', 'a'] | select | list }} {{ [0, 1] | reject | list }}
{{ people | selectattr('age', 'equalto', 30) | map(attribute='name') | list }} {{ people | rejectattr('age', '==', 30) | list | length }} {{ messages | selectattr('tool_calls', 'defined') | list | length }} {{ messages | rejectattr('role', 'in', ['user', 'system']) | list | length }} {{ messages | selectattr('tool_calls') | list | length }}
{{ names | map('upper') | list }} {{ names | map('replace', 'a', 'x') | list }} {{ people | map(attribute='nope', default='?') | list }} {{ numbers | map('string') | join }} {{ ['1', 'x'] | map('int', default=-1) | list }}
{{ numbers | batch(2) | list }} {{ numbers | batch(2, '-') | list }} {{ numbers | slice(2) | list }} {{ numbers | slice(3, 'f') | list }}
{{ missing | default('x') }} {{ nothing | default('x') }} {{ nothing | default('x', true) }} {{ zero | d('x', boolean=true) }} {{ missing | d }}| 
{{ missing.x | default('y') }}
{{ missing | upper }}| {{ missing | list }} {{ missing | length }} {{ missing | join }}|
{{ missing | tojson }}
{{ d | dictsort }} {{ {'b': 1, 'A': 3, 'c': 2} | dictsort(by='value') }} {{ {'b': 1, 'A': 3} | dictsort(case_sensitive=true, reverse=true) }} {{ d | items | list }}
{{ '3.7' | int }} {{ '42' | int }} {{ 'x' | int }} {{ 'x' | int(5) }} {{ '0x1A' | int(base=16) }} {{ 3.9 | int }} {{ -3.9 | int }} {{ ' 12 ' | int }} {{ '1_000' | int }} {{ nothing | int }} {{ '3.5' | float }} {{ 'x' | float }} {{ 3 | float }} {{ '1e3' | float }} {{ '-.5' | float }} {{ true | int }}
{{ 3.14159 | round }} {{ 3.14159 | round(2) }} {{ 2.5 | round }} {{ 3.5 | round }} {{ 2.675 | round(2) }} {{ 42.55 | round(1, 'floor') }} {{ 42.55 | round(0, 'ceil') }} {{ 5 | round }} {{ 1234 | round(-2) }} {{ 1250.5 | round(-2) }} {{ -5 | abs }} {{ -2.5 | abs }}
{{ text | replace('o', '0') }} {{ text | replace('o', '0', 1) }} {{ 'aaa' | replace('', '-') }} {{ 'abc'.replace('', '.', 2) }}
{{ text | indent }}|{{ text | indent(2, true) }}|{{ text | indent(width='> ', blank=true) }}|{{ 'a' | indent }}|{{ '' | indent(first=true) }}
{{ text | truncate(20) }} {{ text | truncate(20, true) }} {{ text | truncate(20, end='!', leeway=0) }} {{ text | wordcount }} {{ 'x' | center(7) }}| {{ 'abcd' | center(9) }}|
{{ '<a href="x">\'&' | e }} {{ '<b>' | escape }} {{ '<b>' | safe }} {{ 'a b/ü?&' | urlencode }} {{ {'k': 'v w', 'x/y': 'ü'} | urlencode }}
{{ '%s is %d and %.2f %5s|%-5s|%05d %x %%' | format('a', 5, 2.345, 'r', 'l', 42, 255) }} {{ '%(a)s-%(b)r' | format(a=1, b='x') }} {{ '%s' % 5 }} {{ '%s %s' % ('a', 'b') }} {{ '%e %g %+d % d' % (12345.678, 0.0001, 5, 7) }}
{{ '%d' % 'x' }}
{{ '%s %s' % 'x' }}
{{ '{} {} {a}'.format(1, 'b', a=3) }} {{ '{0}{1}{0}'.format('x', 'y') }} {{ '{:>6}|{:<6}|{:^6}|{:*^7}'.format('a', 'b', 'c', 'd') }} {{ '{:05d} {:+.2f} {:,} {:x} {:%} {:.3}'.format(42, 3.14159, 1234567, 255, 0.25, 'abcdef') }} {{ '{a[x]} {b.one} {{}}'.format(a={'x': 1}, b=d) }} {{ '{!r}'.format('q') }} {{ '{:{}}'.format('a', 5) }}|
{{ '{}'.format() }}
{{ tools | tojson }} {{ tools | tojson(indent=2) }} {{ '<&>\'"é\n\u2028\x01' | tojson }} {{ 'é' | tojson(ensure_ascii=true) }} {{ tools | tojson(sort_keys=true, separators=(',', ':')) }} {{ [1.0, 1e20, 1e-7, none, true, 1e16] | tojson }} {{ {1: 2, none: 3, true: 4, 1.5: 5} | tojson }} {{ [] | tojson(indent=4) }} {{ {} | tojson }} {{ (1, 2) | tojson }} {{ [[], [1]] | tojson(indent=1) }}
{{ text.split() }} {{ text.split(' ') }} {{ text.split(None, 2) }} {{ 'a,b,,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a b  c '.rsplit(None, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a--b'.split('--')[-1] }}
{{ text.splitlines() }} {{ 'a\r\nb\x0bc'.splitlines() }} {{ 'a\nb'.splitlines(true) }} {{ '\n'.splitlines() }}
{{ '  x '.strip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'abcxcba'.lstrip('abc') }}|{{ 'x\n\n'.rstrip('\n') }}|{{ 'xyx'.rstrip('x') }}
{{ text.startswith('The') }} {{ text.endswith(('cat', 'dog')) }} {{ text.startswith('quick', 4) }}
{{ 'abc'.startswith(['a']) }}
{{ text.startswith(('x', 'The')) }} {{ 'abc'.endswith('c', 0, 2) }} {{ 'abc'.endswith('') }}
{{ text.find('o') }} {{ text.rfind('o') }} {{ text.find('zz') }} {{ accents.find('ǆ') }} {{ accents.rfind('É') }} {{ text.index('q') }} {{ text.count('o') }} {{ 'aaa'.count('') }} {{ 'aaaa'.count('aa') }} {{ text.find('o', 15) }} {{ text.find('o', -5, -1) }}
{{ text.index('zz') }}
{{ 'aBc'.upper() }} {{ 'aBc'.lower() }} {{ 'aBc'.swapcase() }} {{ 'hello wORLD'.title() }} {{ 'hELLO'.capitalize() }} {{ 'ß'.upper() }} {{ 'ǆ'.title() }} {{ 'STRASSE'.casefold() }}
{{ '12'.isdigit() }} {{ '1a'.isalnum() }} {{ 'ab'.isalpha() }} {{ ''.isalpha() }} {{ ' \t'.isspace() }} {{ 'ab'.islower() }} {{ 'AB'.isupper() }} {{ 'Ab Cd'.istitle() }} {{ '½'.isnumeric() }} {{ '½'.isdigit() }} {{ '²'.isdigit() }} {{ '1'.isdecimal() }} {{ 'é'.isascii() }}
{{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'abc'.partition('-') }} {{ 'abc'.rpartition('-') }} {{ 'prefix_x'.removeprefix('prefix_') }} {{ 'x.py'.removesuffix('.py') }} {{ 'x'.removesuffix('') }}
{{ '5'.zfill(3) }} {{ '-5'.zfill(4) }} {{ 'a'.ljust(3, '.') }} {{ 'a'.rjust(3) }} {{ 'a'.center(4, '*') }} {{ 'ab'.center(5, '*') }} {{ ', '.join(['a', 'b']) }} {{ '-'.join('abc') }}
{{ ', '.join([1]) }}
{{ [1, 2, 1].count(1) }} {{ [1, 2].index(2) }} {{ (1, 2).index(1) }} {{ [1].copy() }} {{ d.copy().one }}
{{ missing is defined }} {{ missing is undefined }} {{ d.one is defined }} {{ d.zip is defined }} {{ nothing is none }} {{ nothing is not none }} {{ yes is true }} {{ 1 is true }} {{ yes is boolean }} {{ false is false }}
{{ 1 is number }} {{ 1.5 is number }} {{ 'a' is number }} {{ 1 is integer }} {{ 1.0 is float }} {{ true is integer }} {{ 'a' is string }} {{ d is mapping }} {{ [] is sequence }} {{ 'a' is sequence }} {{ d is sequence }} {{ 5 is iterable }} {{ 'a' is iterable }} {{ range is callable }} {{ 3 is odd }} {{ 4 is even }} {{ 6 is divisibleby 3 }} {{ 6 is divisibleby(4) }} {{ 1 is sameas 1 }} {{ yes is sameas true }} {{ 'a' is lower }} {{ 'A' is upper }} {{ 1 is in [1] }} {{ 1 is not in [1] }} {{ 1 is eq 1 }} {{ 2 is gt 1 }} {{ 1 is ne 1 }} {{ 1 is lt(2) }} {{ 'upper' is filter }} {{ 'odd' is test }} {{ numbers | map('upper') is sequence }} {{ d.items() is iterable }} {{ d.items() is sequence }}
{{ dict(a=1, b=2) }} {{ dict([('x', 1)]) }} {{ dict(d, one=2).one }} {{ namespace(a=1) is defined }} {% set c = cycler('x', 'y') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }} {% set j = joiner(';') %}{{ j() }}{{ j() }}{{ j() }}
{{ {'a': 1}['a'] }} {{ {'a': {'b': [5]}}.a.b[0] }} {{ [[1, 2], [3]][0][1] }} {{ 'abc'[1] | upper ~ 'x' }} {{ -numbers[0] | abs }} {{ 'a' 'b' }} {{ not 'a' in 'abc' }} {{ (numbers | length) > 3 and numbers[0] is odd }}
{{ messages[1:] | map(attribute='role') | list }} {{ messages[0]['role'] == 'system' }} {{ messages[-1].content.split('</think>')[-1].lstrip('\n') }} {{ messages | length - 1 }} {{ messages[0].role + ':' + messages[0].content | trim }}
{%- set ns = namespace(multi=true, last=messages|length - 1) %}{%- for m in messages[::-1] %}{%- set index = (messages|length - 1) - loop.index0 %}{%- if ns.multi and m.role == "user" and not (m.content.startswith('<tool>') and m.content.endswith('</tool>')) %}{%- set ns.multi = false %}{%- set ns.last = index %}{%- endif %}{%- endfor %}{{ ns.last }}
{% for m in messages %}{% set content = m.content if m.content is string else '' %}{{ '<|im_start|>' + m.role + '\n' + content | trim + '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}
{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}{% set rest = messages[1:] %}{% else %}{% set rest = messages %}{% endif %}{{ bos_token + system }}{{ rest | length }}
{% for tool in tools %}{{ tool | tojson(indent=4) | indent(4) }}{% endfor %}{% for key, value in tools[0].function.parameters.items() | sort %}{{ key }}{{ value }}{% endfor %}
{% for k, v in d | dictsort %}{{ k }}:{{ v }}{{ ', ' if not loop.last }}{% endfor %} {% for k, v in d | items %}{{ k }}{% endfor %}
{% set x = [] %}{% set x = x + [1] %}{% set x = x + [2] %}{{ x }} {% set s = 'a' %}{% set s = s ~ 'b' %}{{ s }}
{{ [1] + (2,) }}
{% set outer = 'o' %}{% macro show() %}{{ outer }}{{ inner }}{% endmacro %}{% set inner = 'i' %}{{ show() }}
{% for x in [1] %}{% set inner = x %}{% if true %}{% set y = 2 %}{% endif %}{{ inner }}{{ y }}{% endfor %}{{ inner }}{{ y }}
{% if true %}{% set y = 2 %}{% endif %}{{ y }} {{ loop }}| {{ true }} {{ True }} {{ None }} {{ none }} {{ false }} {{ False }}
{{ numbers | map('add', 1) | list }}
{{ text | attr('upper') is callable }} {{ d | attr('one') }}| {{ (1, 2, 3)[1:] }} {{ [1, 2, 3][-2:] | first }} {{ '' is string and '' == empty }} {{ [none, none] | select('none') | list }}
{{ 10 is divisibleby 0 }}
{{ 'a' if }}
{{ "\u0041\U0001F600" }}
{{ 'é' == 'e\u0301' }} {{ 'e\u0301' | length }} {{ {'é': 1}['e\u0301'] }}| {{ '\r\n' | length }} {{ 'a\r\nb'.split('\n') }} {{ '👩‍👩‍👧' | length }} {{ '👩‍👩‍👧'[0] }}
{{ 9007199254740993 }} {{ 9007199254740993 == 9007199254740993.0 }} {{ 1 == '1' }} {{ [1] == (1,) }} {{ {} == {} }} {{ {'a': 1} == {'a': 1.0} }} {{ none == missing }} {{ missing == other }}
{{ [3, 'a'] | sort }}
{{ (1 if true else 2) + 1 }} {{ 1 if false else 2 + 1 }} {{ [1 if true else 2, 3] }} {{ 'x' | default(1 if true else 2) }}
{{ d['two'][1] }}{{ d.two.1 }}{{ d.two[0] }}
{{ [[1, [2, 3]]].0.1.0 }} {{ d[['a']] }}| {{ d[{}] is defined }}
{{ (numbers | map('abs'))[1:] }}
{{ pi[1:] }}
{% set x %}{% endset %}[{{ x }}] {% for i in range(3) -%} {{ i }} {%- endfor %}
{% for c in messages if c.role != 'system' %}{{ loop.index0 % 2 == 0 }}{{ c.role }}{% endfor %}
{{ ("a" ~ "b") | upper }} {{ "a" ~ "b" | upper }} {{ 1 + 2 | float }} {{ 2 * 3 ** 2 }} {{ not 1 == 2 }} {{ 1 - -1 }} {{ +5 }}
{{ [1, 2, 3,] }} {{ {'a': 1,} }} {{ (1,) }} {{ () }} {{ f }}|{{ [missing] }}|{{ {'a': missing} }}
{{ none | selectattr('a') | list }} {{ 0 | map('upper') | list }} {{ '' | select | list }} {{ false | reject | list }}
{% set unread = numbers | map('abs', 5) %}{{ numbers | map('string') | map('length') | first }} {{ ['1', none] | map('trim') | map('upper') | first }}
{% set it = numbers | select('odd') %}{{ it | first }} {{ it | list }} {{ it | list }}
{{ none | map('upper') is iterable }} {{ 5 | select | list }}
{{ numbers | map('upper', 1) | list }}
{% if zero %}{{ 1 | bogus }}{{ 1 is bogus }}{% endif %}{{ 1 if true else 2 | bogus }}
{% for x in [] %}{{ x | bogus }}{% endfor %}
{% macro m() %}{{ 1 is bogus }}{% endmacro %}
{% for i in [1] %}{% break %}{% else %}E{% endfor %}{% for i in [1, 2] %}{% continue %}{% else %}E{% endfor %}{% for i in [1, 2] %}{% if i == 2 %}{% continue %}{% endif %}{% else %}E{% endfor %}
{% for i in [1, 2] %}{{ i }}{% filter upper %}a{% break %}{% endfilter %}{% endfor %}|
{% for i in [1, 2] %}{% generation %}{% break %}{% endgeneration %}{% endfor %}
{% for i in [1, 2] %}{% generation %}{{ i }}{{ loop.last }}{% set i = 5 %}{% endgeneration %}{{ i }}{% endfor %}
{% for loop in [1] %}{% endfor %}
{% for i in [1] %}{% set loop = i %}{% endfor %}
{% macro m() %}{{ caller is defined }}{{ caller() if caller }}{% endmacro %}{{ m() }} {{ m(caller=none) }} {% call m() %}x{% endcall %}
{{ missing | int }}
{{ missing | float }}
{{ '--1' | int(7) }} {{ '+-1' | float(7) }} {{ '+1' | int }}
{{ ['a'] | sum(start='') }}
{{ people | groupby('zip') }}
{{ people | groupby('zip', default='none') | map('first') | list }} {{ [{'a': 'x', 'n': 1}, {'a': 'X', 'n': 2}] | groupby('a') }}
{{ [{'a': none}, {'a': none}] | sort(attribute='a') }}
{{ [none, none] | sort }}
{{ 0 ** -1 }}
{{ 10.0 ** 400 }}
{{ 1.5 is odd }} {{ 3.0 is odd }} {{ 4.0 is even }} {{ 9.0 is divisibleby 3 }}
{{ missing is callable }} {{ dict(['ab', (1, 2)]) }} {{ [1, 2, 3] | batch(0) | list }} {{ [1, 2] | batch(-1) | list }}
{{ 01 }}
{{ 'ΑΣ Σ ΑΣΑ'.lower() }} {{ 'ΟΔΟΣ' | lower }} {{ 'ΟΔΟΣ' | capitalize }} {{ 'Straße ﬁn'.casefold() }} {{ 'a\tb'.expandtabs() }} {{ 'ab\tc\n\td'.expandtabs(4) }} {{ 'a_1'.isidentifier() }} {{ '1a'.isidentifier() }} {{ 'a\x00'.isprintable() }}
{{ d.get(key='one') }}
{{ namespace(_x=1)._x }}| {{ '-5'.zfill(-9) }} {{ '%-*d|' % (5, 3) }}
{{ '<a>' | safe + '<b>' }} {{ '<b>' + '<a>' | safe }} {{ '<a>' | safe ~ '<b>' }} {{ ('<a>' | safe) * 2 + '<' }} {{ ('<a>' | e) | e }} {{ ('<a>' | safe) | forceescape }} {{ ('<a>' | safe)[1:] + '<' }} {{ ('a' | safe).upper() + '<' }} {{ ('a,b' | safe).split(',') }} {{ ('%s' | safe) % '<' }}
{{ ('<' | safe) | trim + '>' }} {{ ('<' | safe) | replace('<', '>') + '>' }} {{ ('<' | safe) | string + '>' }} {{ ('<' | safe) is string }} {{ ('<' | safe) is escaped }} {{ ('<' | safe) == '<' }} {{ {'<': 1}['<' | safe] }} {{ [('<' | safe)] | tojson }} {{ ['<' | safe] }}
{{ 'a' | safe + 1 }}
{{ 'Use the function ' | safe + tools[0].function.name + ' to ' | safe + 'say "hi"' + '\n' | safe + tools[0] | tojson }}
{{ '<p>a &lt; b</p> <!-- x -->  c' | striptags }} {{ {'class': 'a', 'x': none, 'q': '"<'} | xmlattr }} {{ {'a': 1} | xmlattr(false) }} {{ 1000 | filesizeformat }} {{ 1 | filesizeformat }} {{ 123456789 | filesizeformat(true) }}
{{ text | wordwrap(10) }} {{ 'aaaaaaaaaaaa bb' | wordwrap(5) }} {{ 'aaaaaaaaaaaa bb' | wordwrap(5, false) }} {{ 'the lazy-dog runs' | wordwrap(9, wrapstring='+') }} {{ 'the lazy-dog runs' | wordwrap(9, break_on_hyphens=false) }}
{{ {'a b': 1} | xmlattr }}
""".strip("\n").split("\n")

BLOCKS = [
    "{% if yes %}\n  line\n{% endif %}\nafter\n",
    "  {% if yes %}\n    x\n  {% endif %}\n  y",
    "{# comment #}\nx\n  {# another #}\ny",
    "a\n   {%+ if yes %}b{% endif %}\n   {% if yes -%}\n   c\n   {%- endif %}\n\n",
    "{{ 'x' }}\n{{ 'y' -}}\n   z",
    "{%- macro m(x) -%}\n  [{{ x }}]\n{%- endmacro -%}\n{{ m(1) }}\n{{ m(2) }}\n",
    "x {% raw %}\n {{ a }} \n{% endraw %}\ny",
    "{%- raw -%}\n {{ a }} \n{%- endraw -%}\ny",
    "{% set x %}\n  a\n{% endset %}\n[{{ x }}]",
    "{% for i in [1,2] %}\n- {{ i }}\n{% endfor %}\n\n\nend",
    "\r\n{% if yes %}\r\nx\r\n{% endif %}\r\n",
    "one\n\n{{ missing.x.y }}",
    "one\n  {{ 1 + 'a' }}",
    "{# unclosed",
    "{% raw %} unclosed",
    "{{ '}}' }} {{ \"%}\" }} {{ {'a': {'b': 1}} }}",
    "{{ text\n   | upper\n   | trim }}",
    "{% set x = {\n  'a': 1,\n  'b': [1,\n 2]\n} %}\n{{ x }}",
    "{%- if messages[0].role == 'system' %}\n    {{- '<s>' + messages[0].content }}\n{%- endif %}\n{%- for m in messages %}\n    {{- m.role }}\n{%- endfor %}\n",
    "trailing newline\n",
    "trailing newlines\n\n",
]


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


class Generation(jinja2.ext.Extension):
    """transformers' tag around what an assistant wrote; it prints its body."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("print_body"), [], [], body).set_lineno(line)

    def print_body(self, caller):
        return caller()


def main():
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    cases = []
    for source in TEMPLATES + BLOCKS:
        case = {"source": source}
        try:
            case["expected"] = environment.from_string(source).render(**VARIABLES)
        except Exception as error:
            case["error"] = f"{type(error).__name__}: {error}"
        cases.append(case)
    path = pathlib.Path(__file__).with_name("cases.json")
    path.write_text(json.dumps({"variables": VARIABLES, "cases": cases}, ensure_ascii=False, indent=1) + "\n")
    print(len(cases), "cases,", sum("error" in case for case in cases), "errors")


if __name__ == "__main__":
    main()
