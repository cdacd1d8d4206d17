/** Programs about statements and libraries, and what redis-server 7.0.15 answers, as in test-facts.ts. */

/** A program and what redis-server 7.0.15 makes of it. */
export const MORE_FACTS: readonly (readonly [program: string, answer: string])[] = [
  [
    'local t = string.rep t()',
    "false|user_script:1: bad argument #1 to 't' (string expected, got no value)",
  ],
  ['("x"):rep()', "false|user_script:1: bad argument #1 to 'rep' (number expected, got no value)"],
  ['return {pcall(error)}', 'true|table'],
  [
    "local t={} for i=1,10000 do t[i]=i end return select('#', unpack(t))",
    'false|user_script:1: too many results to unpack',
  ],
  ["local t={} for i=1,7990 do t[i]=i end return select('#', unpack(t))", 'true|7990'],
  ['return tostring(cjson.null)', 'true|userdata: (nil)'],
  ['return type(cjson.null)', 'true|userdata'],
  [
    "local t = setmetatable({}, {__index=function(t,k) error('boo '..k, 2) end}) return t.x",
    'false|user_script:1: boo x',
  ],
  ["return {pcall(function() error('x', 2) end)}", 'true|table'],
  ['return {pcall(function() error() end)}', 'true|table'],
  ['return {pcall(function() error({1,2}) end)}', 'true|table'],
  [
    'local function f(t) return t.a.b.c end f({a={}})',
    "false|user_script:1: attempt to index field 'b' (a nil value)",
  ],
  ['local t = {} t[1].x = 2', "false|user_script:1: attempt to index field '?' (a nil value)"],
  ['return 1 .. nil', 'false|user_script:1: attempt to concatenate a nil value'],
  [
    'local t = {} local y = 3 return t .. y',
    "false|user_script:1: attempt to concatenate local 't' (a table value)",
  ],
  ['return {} < {}', 'false|user_script:1: attempt to compare two table values'],
  ["return 1 < 'x'", 'false|user_script:1: attempt to compare number with string'],
  ['return nil < 1', 'false|user_script:1: attempt to compare nil with number'],
  ['return -{}', 'false|user_script:1: attempt to perform arithmetic on a table value'],
  ['return #5', 'false|user_script:1: attempt to get length of a number value'],
  [
    "local a = 'x' return a + 1",
    "false|user_script:1: attempt to perform arithmetic on local 'a' (a string value)",
  ],
  ["for i='a',2 do end", "false|user_script:1: 'for' initial value must be a number"],
  ["for i=1,'b' do end", "false|user_script:1: 'for' limit must be a number"],
  ["for i=1,2,'x' do end", "false|user_script:1: 'for' step must be a number"],
  ['for i=1,10,0 do return 1 end', 'true'],
  ['return {pcall(setmetatable, 1, {})}', 'true|table'],
  [
    'return {coroutine.resume(coroutine.create(function() pcall(coroutine.yield, 1) end))}',
    'true|table',
  ],
  ['coroutine.yield(1)', 'false|attempt to yield across metamethod/C-call boundary'],
  ["return {coroutine.resume(coroutine.create(function() error('x') end))}", 'true|table'],
  ['return tostring(coroutine.running())', 'true|nil'],
  ["return collectgarbage('count') > 1", 'true|true'],
  [
    "return {collectgarbage(), collectgarbage('step'), collectgarbage('foo')}",
    "false|user_script:1: bad argument #1 to 'collectgarbage' (invalid option 'foo')",
  ],
  ["return {xpcall(function() error('x') end, function(m) return m .. '!' end)}", 'true|table'],
  ["return {xpcall(function() error('x') end, function(m) error('y') end)}", 'true|table'],
  [
    'return table.concat({1,2,{}})',
    "false|user_script:1: invalid value (table) at index 3 in table for 'concat'",
  ],
  ["return loadstring('x=')", 'true|nil|[string "x="]:1: unexpected symbol near \'<eof>\''],
  ["return {pcall(loadstring('\\27Lua'))}", 'true|table'],
  ['return {load(function() return nil end)}', 'true|table'],
  ['return {pcall(next, {}, 1)}', 'true|table'],
  [
    'return {tostring(1e15), tostring(2^53), tostring(1e100), tostring(-0), tostring(0/0), tostring(1/0)}',
    'true|table',
  ],
  ['return table.setn({}, 1)', "false|user_script:1: 'setn' is obsolete"],
  ['return table.getn({1,2,3})', 'true|3'],
  ["return 'a\\qb' , '\\65\\066\\0'", 'true|aqb|AB\x00'],
  ["return #'\\z'", 'true|1'],
  ['return {...}, ...', 'true|table'],
  ['return "\\x41"', 'true|x41'],
  ["local t = {} t[1.0] = 'a' t[2^0 + 1] = 'b' return #t, t[1], t[2]", 'true|2|a|b'],
  ["local t = {} t[0] = 'z' t[-0] = 'y' t[-1] = 'm' return t[0], #t, t[-1]", 'true|y|0|m'],
  [
    'return 5 % 3, -5 % 3, 5 % -3, -5 % -3, 5.5 % 2, 1e15 % 7, 5 % math.huge',
    'true|2|1|-1|-2|1.5|6|-nan',
  ],
  [
    'return 7 / 2, -7 / 2, 1 / 0, -1 / 0, 2 ^ 10, 2 ^ 0.5, -2 ^ 2',
    'true|3.5|-3.5|inf|-inf|1024|1.4142135623731|-4',
  ],
  [
    "return '10' + 5, '0x10' * 2, ' 3 ' - 1, 10 .. 20, 1.5 .. '', -0.1 .. ''",
    'true|15|32|2|1020|1.5|-0.1',
  ],
  [
    "return 'a' < 'b', 'a' < 'B', '' < 'a', 'a' < 'ab', 'Z' < 'a', '\\255' > '\\1', 'a\\0b' < 'a\\0c'",
    'true|true|false|true|true|true|true|true',
  ],
  [
    "return 1 == 1.0, '1' == 1, nil == false, 0 == false, {} == {}, 'a' == 'a'",
    'true|true|false|false|false|false|true',
  ],
  [
    "return nil and 1, false or nil, 1 and 2, nil or 'd', false and error('x'), 1 or error('x')",
    'true|nil|nil|2|d|false|1',
  ],
  ["return not nil, not 0, not '', not not 1", 'true|true|false|false|true'],
  [
    'return 1 .. 2 .. 3, 2 ^ 3 ^ 2, 1 - 2 - 3, 2 * 3 % 4, -3 ^ 2, not 1 == 2',
    'true|123|512|-4|2|-9|false',
  ],
  ["return #'abc', #'a\\0b', #'', -'2', - -3", 'true|3|3|0|-2|3'],
  [
    "return [[a]], [==[a]]b]==], 'a\\\nb', \"\\65\\066\\0671\", '\\a\\b\\f\\n\\r\\t\\v' == '\\7\\8\\12\\10\\13\\9\\11'",
    'true|a|a]]b|a\nb|ABC1|true',
  ],
  ['return 0x10, 0xfF, 1e2, 1E-2, .5, 5., 3e+1', 'true|16|255|100|0.01|0.5|5|30'],
  ['local a, b, c = 1 return a, b, c', 'true|1|nil|nil'],
  ['local a, b = 1, 2, 3 return a, b', 'true|1|2'],
  [
    'local function f() return 1, 2, 3 end local a, b, c, d = f() return a, b, c, d',
    'true|1|2|3|nil',
  ],
  [
    'local function f() return 1, 2, 3 end local a, b, c, d = 0, f() return a, b, c, d',
    'true|0|1|2|3',
  ],
  ['local function f() return 1, 2, 3 end local a, b = (f()) return a, b', 'true|1|nil'],
  ['local function f() return 1, 2, 3 end local t = {f(), f()} return #t', 'true|4'],
  ['local function f() return 1, 2, 3 end local t = {f(), (f())} return #t', 'true|2'],
  ["local function f() end return f(), (f()), select('#', f(), f())", 'true|nil|nil|1'],
  ["local function f(...) return select('#', ...), ... end return f(nil, nil)", 'true|2|nil|nil'],
  ['local function f(a, ...) local b, c = ... return a, b, c end return f(1, 2)', 'true|1|2|nil'],
  ["local function f(...) return arg.n, arg[1], arg[2] end return f('a', nil)", 'true|2|a|nil'],
  ['local a, b = 1, 2 a, b = b, a return a, b', 'true|2|1'],
  ['local t, i = {}, 1 i, t[i] = i + 1, 20 return i, t[1], t[2]', 'true|2|20|nil'],
  ['local x = 1 do local x = 2 end return x', 'true|1'],
  ['local s = 0 for i = 10, 1, -3 do s = s + i end return s', 'true|22'],
  ['local n = 0 for i = 1, 3 do i = i * 10 n = n + i end return n', 'true|60'],
  ['local n = 0 for i = 0.1, 1, 0.1 do n = n + 1 end return n', 'true|10'],
  ['local n = 0 for i = 1, 0 do n = n + 1 end for i = 3, 1 do n = n + 1 end return n', 'true|0'],
  ["for i = '1', '2' do return type(i), i end", 'true|number|1'],
  ['local r = {} for i = 1, 5 do if i == 4 then break end r[#r + 1] = i end return #r', 'true|3'],
  [
    "local r = '' for k, v in pairs({10, 20, 30}) do r = r .. k .. v end return r",
    'true|110220330',
  ],
  ["local r = '' for i, v in ipairs({1, 2, nil, 4}) do r = r .. v end return r", 'true|12'],
  [
    'local t = {a = 1, b = 2, c = 3} for k in pairs(t) do t[k] = nil end return next(t)',
    'true|nil',
  ],
  ['local i = 5 repeat local j = i i = i - 1 until j < 3 return i', 'true|1'],
  [
    'local fs = {} for i = 1, 3 do local j = i fs[i] = function() j = j + 1 return i + j end end return fs[1](), fs[1](), fs[3]()',
    'true|3|4|7',
  ],
  [
    'local function counter() local n = 0 return function() n = n + 1 return n end end local a, b = counter(), counter() return a(), a(), b()',
    'true|1|2|1',
  ],
  [
    'local a = {} function a.b(x) return x end function a:c(x) return self == a, x end return a.b(1), a:c(2)',
    'true|1|true|2',
  ],
  [
    'local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end return f(150)',
    'true|150',
  ],
  [
    'local even, odd function even(n) if n == 0 then return true end return odd(n - 1) end function odd(n) if n == 0 then return false end return even(n - 1) end return even(50001)',
    'true|false',
  ],
  [
    "local t = setmetatable({}, {__index = {x = 1}}) return t.x, t.y, rawget(t, 'x')",
    'true|1|nil|nil',
  ],
  [
    "local log = '' local t = setmetatable({}, {__newindex = function(t, k, v) log = log .. k rawset(t, k, v) end}) t.a = 1 t.a = 2 t.b = 3 return log, t.a, t.b",
    'true|ab|2|3',
  ],
  [
    "local v = {} v.__index = v v.__add = function(a, b) return setmetatable({x = a.x + b.x}, v) end v.__tostring = function(a) return 'v' .. a.x end local a = setmetatable({x = 1}, v) return tostring(a + a)",
    'true|v2',
  ],
  [
    'local m = {__call = function(self, a, b) return b, a end} return setmetatable({}, m)(1, 2)',
    'true|2|1',
  ],
  [
    'local c = coroutine.create(function(a, b) local c = coroutine.yield(a + b) local d, e = coroutine.yield(c * 2) return d + e end) local _, x = coroutine.resume(c, 1, 2) local _, y = coroutine.resume(c, 10) local _, z = coroutine.resume(c, 3, 4) return x, y, z, coroutine.status(c)',
    'true|3|20|7|dead',
  ],
  [
    'local function gen(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end local s = 0 for i in gen(5) do s = s + i end return s',
    'true|15',
  ],
  [
    'local c c = coroutine.create(function() return coroutine.running() == c, coroutine.status(c) end) return coroutine.resume(c)',
    'true|true|true|running',
  ],
  [
    'local a = coroutine.wrap(function() local b = coroutine.wrap(function() coroutine.yield(1) coroutine.yield(2) end) coroutine.yield(b()) coroutine.yield(b()) end) return a(), a()',
    'true|1|2',
  ],
  [
    "return pcall(error, {1}), select('#', pcall(error)), pcall(error, nil)",
    'true|false|2|false|nil',
  ],
  ["return pcall(pcall, error, 'x')", 'true|true|false|x'],
  [
    "local function f() error('deep') end local ok, e = pcall(function() local ok, e = pcall(f) error(e, 0) end) return ok, e",
    'true|false|user_script:1: deep',
  ],
  [
    "local function g() error('at caller', 2) end local function f() g() end return pcall(f)",
    'true|false|user_script:1: at caller',
  ],
  ["local f = loadstring('local a, b = ... return b, a') return f(1, 2)", 'true|2|1'],
  [
    "local f, e = loadstring('x y', 'a text') return f, e",
    "true|nil|[string \"a text\"]:1: '=' expected near 'y'",
  ],
  ["local f, e = loadstring('x y', '=name') return f, e", "true|nil|name:1: '=' expected near 'y'"],
  [
    "local f, e = loadstring('x\\n\\ny z', 'first line\\nsecond') return f, e",
    "true|nil|[string \"first line...\"]:3: '=' expected near 'y'",
  ],
  [
    "local f, e = loadstring('x y', ('long'):rep(30)) return f, e",
    "true|nil|[string \"longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglon...\"]:1: '=' expected near 'y'",
  ],
  [
    "local f, e = loadstring('x y', '@' .. ('long'):rep(30)) return f, e",
    "true|nil|...longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglong:1: '=' expected near 'y'",
  ],
  [
    "local n = 0 local f = load(function() n = n + 1 return ({'return ', '1', ' + 1'})[n] end) return f()",
    'true|2',
  ],
  ["return load(function() error('reader') end)", 'true|nil|user_script:1: reader'],
  ["local t = {5, 2, 8, 1} table.sort(t) return table.concat(t, ',')", 'true|1,2,5,8'],
  ["local t = {'b', 'a', 'C', ''} table.sort(t) return table.concat(t, ',')", 'true|,C,a,b'],
  [
    "local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) return table.concat(t, ' ')",
    'true|3 2 1',
  ],
  [
    "local t = {} for i = 1, 40 do t[i] = {i % 4, i} end table.sort(t, function(a, b) return a[1] < b[1] end) local r = '' for i = 1, 40 do r = r .. t[i][2] .. ' ' end return r",
    'true|40 24 16 12 28 36 32 8 20 4 1 9 5 29 37 33 21 25 13 17 30 34 2 38 18 14 10 26 6 22 35 11 39 27 23 3 7 15 31 19 ',
  ],
  [
    "local c = '' local t = {4, 2, 5, 1, 3} table.sort(t, function(a, b) c = c .. a .. b .. ' ' return a < b end) return c",
    'true|34 53 45 24 14 44 41 13 21 32 ',
  ],
  [
    "local t = {1, 2, 3} table.insert(t, 2, 'x') table.insert(t, 'y') return table.concat(t, ',')",
    'true|1,x,2,3,y',
  ],
  [
    "local t = {1, 2, 3, 4} return table.remove(t, 1), table.remove(t), table.concat(t, ',')",
    'true|1|4|2,3',
  ],
  ["local t = {1, 2} table.insert(t, 5, 'x') return #t, t[5]", 'true|2|x'],
  [
    "return table.concat({1, 2.5, 'x'}, '-'), table.concat({1, 2, 3}, ',', 2), table.concat({1, 2, 3}, ',', 2, 3), table.concat({}, ',')",
    'true|1-2.5-x|2,3|2,3|',
  ],
  [
    'return table.concat({1, {}, 3})',
    "false|user_script:1: invalid value (table) at index 2 in table for 'concat'",
  ],
  ['return table.maxn({}), table.getn({1, 2}), table.maxn({[-1] = 1})', 'true|0|2|0'],
  [
    'return tostring(1e14), tostring(123456789012345), tostring(0.1), tostring(1/3), tostring(100), tostring(-1.5e-7)',
    'true|1e+14|1.2345678901234e+14|0.1|0.33333333333333|100|-1.5e-07',
  ],
  [
    "return tonumber('0x'), tonumber('1e'), tonumber('1 2'), tonumber(''), tonumber('  12  '), tonumber('1e1'), tonumber('.5'), tonumber('5.')",
    'true|nil|nil|nil|nil|12|10|0.5|5',
  ],
  [
    "return tonumber('11', 2), tonumber('ff', 16), tonumber('0xff', 16), tonumber('zz', 36), tonumber('9', 8), tonumber('-11', 2), tonumber('1.5', 10)",
    'true|3|255|255|1295|nil|1.844674407371e+19|1.5',
  ],
  ['return unpack({1, 2, 3}), unpack({1, 2}, 2), (unpack({1, 2}))', 'true|1|2|1'],
  ['return next({}), next({5}), next({a = 1})', 'true|nil|1|a|1'],
  ['local t = {1, 2, 3, nil} return #t', 'true|3'],
  ["local t = {n = 1, [1] = 'a', 'b'} return t[1], t.n", 'true|b|1'],
  ['local t = {} t[3] = 3 t[2] = 2 t[1] = 1 return #t, table.concat(t)', 'true|3|123'],
  [
    'local t = {} for i = 1, 10 do t[i] = i end for i = 10, 6, -1 do t[i] = nil end return #t',
    'true|5',
  ],
  ['return 0 / 0 ~= 0 / 0, -(0 / 0) ~= 0', 'true|true|true'],
  ['local t = {} t[0 / 0] = 1', 'false|user_script:1: table index is NaN'],
  ['local t = {} return t[nil], t[0 / 0]', 'true|nil|nil'],
  ['return 2 ^ 53, 2 ^ 53 + 1, 1e308 * 10', 'true|9.007199254741e+15|9.007199254741e+15|inf'],
  ["return ('x'):upper(), ('%d'):format(3), #('x'):rep(3)", 'true|X|3|3'],
  [
    'local x = 1 local function f() return x + y end return pcall(f)',
    "true|false|user_script:1: Script attempted to access nonexistent global variable 'y'",
  ],
];
