# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_savecast_global_optspecs
    string join \n p/port= host= https= allow-host= cors= poll= max-push= o/open= no-open spa mount= proxy= watch= proxy-ask= proxy-poll= proxy-insecure relay= edge publish publish-token-file= limit-requests= limit-bytes= trust-proxy= drain= relay-site= base= ignore= compress console no-console verbose quiet log= config= h/help V/version
end

function __fish_savecast_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_savecast_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_savecast_using_subcommand
    set -l cmd (__fish_savecast_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c savecast -n "__fish_savecast_needs_command" -s p -l port -d 'The port to listen on; 0 for any free one [default: 3000, or the next free one]' -r
complete -c savecast -n "__fish_savecast_needs_command" -l host -d 'The address to listen on; all addresses, which shows the directory to the whole network, if none is given' -r
complete -c savecast -n "__fish_savecast_needs_command" -l https -d 'Serve over HTTPS and HTTP/2: with a certificate that is made for this machine, or with yours, in PEM' -r -F
complete -c savecast -n "__fish_savecast_needs_command" -l allow-host -d 'Another name under which this server is reached, such as that of a proxy; may be given again' -r
complete -c savecast -n "__fish_savecast_needs_command" -l cors -d 'Let pages of these origins (scheme, host and port) use files, streams and channels; pages of all origins, but without credentials, if none is given' -r
complete -c savecast -n "__fish_savecast_needs_command" -l poll -d 'Do not rely on events of the file system: look at what is in use every MS milliseconds, 100 if not given' -r
complete -c savecast -n "__fish_savecast_needs_command" -l max-push -d 'The largest file whose contents are pushed, in bytes or as 512K, 8M or 1G; larger ones are served, and announced as a problem' -r
complete -c savecast -n "__fish_savecast_needs_command" -s o -l open -d 'Open the browser, at this path if one is given' -r
complete -c savecast -n "__fish_savecast_needs_command" -l mount -d 'Serve another directory at this path of the site; may be given again' -r
complete -c savecast -n "__fish_savecast_needs_command" -l proxy -d 'Put another server behind this one, and make its pages live; only a path of it with /PATH=URL; may be given again. With a URL alone, the directory is not served, but watched' -r
complete -c savecast -n "__fish_savecast_needs_command" -l watch -d 'Where the sources of the servers behind --proxy are, if that is not the directory: what is saved there may change their answers; may be given again' -r -F
complete -c savecast -n "__fish_savecast_needs_command" -l proxy-ask -d 'Whether the servers behind --proxy may be asked again for what pages have loaded, to see what a save has changed; if off, a save reloads pages' -r -f -a "on\t'It is'
off\t'It is not'"
complete -c savecast -n "__fish_savecast_needs_command" -l proxy-poll -d 'Ask the servers behind --proxy every MS milliseconds, too, for answers that somebody follows as a stream' -r
complete -c savecast -n "__fish_savecast_needs_command" -l relay -d 'Share channels with other instances through this Redis server, and tell edges what stands in the directory. If the URL has no user or password, they are taken from SAVECAST_RELAY_USER and SAVECAST_RELAY_PASSWORD in the environment' -r
complete -c savecast -n "__fish_savecast_needs_command" -l publish-token-file -d 'Publishing to channels needs the token in this file: "Authorization: Bearer TOKEN"' -r -F
complete -c savecast -n "__fish_savecast_needs_command" -l limit-requests -d 'How many requests of one address may be under way at once, streams among them; more are answered with 429' -r
complete -c savecast -n "__fish_savecast_needs_command" -l limit-bytes -d 'How many bytes one address is sent in a minute, as 512K, 8M or 1G; after that, its requests are answered with 429' -r
complete -c savecast -n "__fish_savecast_needs_command" -l trust-proxy -d 'Believe what this proxy says in X-Forwarded-For of whom a request is; may be given again' -r
complete -c savecast -n "__fish_savecast_needs_command" -l drain -d 'When it is stopped by SIGTERM, end streams over so many seconds, and take no new ones [default: 5 with --edge, 0 without]' -r
complete -c savecast -n "__fish_savecast_needs_command" -l relay-site -d 'The name of the site on that Redis server; instances with the same name belong together' -r
complete -c savecast -n "__fish_savecast_needs_command" -l base -d 'The path at which a proxy has put this server, such as /app/' -r
complete -c savecast -n "__fish_savecast_needs_command" -l ignore -d 'What never reloads or changes a page, such as \'*.map\' or \'drafts/**\'; may be given again' -r
complete -c savecast -n "__fish_savecast_needs_command" -l log -d 'Write what is said on standard error as text, or as one JSON object a line' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c savecast -n "__fish_savecast_needs_command" -l config -d 'A file with these options, instead of savecast.toml where it is started' -r -F
complete -c savecast -n "__fish_savecast_needs_command" -l no-open -d 'Do not open the browser, whatever savecast.toml says'
complete -c savecast -n "__fish_savecast_needs_command" -l spa -d 'Answer with /index.html where a page doesn\'t exist, for single-page apps'
complete -c savecast -n "__fish_savecast_needs_command" -l proxy-insecure -d 'Believe any certificate of a server behind --proxy'
complete -c savecast -n "__fish_savecast_needs_command" -l edge -d 'Serve what an instance with a directory tells through --relay, instead of a directory of this machine'
complete -c savecast -n "__fish_savecast_needs_command" -l publish -d 'Let clients of this edge publish to channels, with the token of --publish-token-file'
complete -c savecast -n "__fish_savecast_needs_command" -l compress -d 'Compress answers for browsers on this machine, too, and not only for those on others'
complete -c savecast -n "__fish_savecast_needs_command" -l console -d 'Show all that open pages write into their consoles, and not only what goes wrong in them'
complete -c savecast -n "__fish_savecast_needs_command" -l no-console -d 'Show nothing of what goes wrong in open pages'
complete -c savecast -n "__fish_savecast_needs_command" -l verbose -d 'Say each request: method, path, status, bytes, milliseconds'
complete -c savecast -n "__fish_savecast_needs_command" -l quiet -d 'Say nothing but the address and what goes wrong'
complete -c savecast -n "__fish_savecast_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c savecast -n "__fish_savecast_needs_command" -s V -l version -d 'Print version'
complete -c savecast -n "__fish_savecast_needs_command" -a "trust" -d 'Have this system, Chromium and Firefox believe the certificates that --https makes'
complete -c savecast -n "__fish_savecast_needs_command" -a "status" -d 'Say what a server that is running is doing: open pages, streams, problems'
complete -c savecast -n "__fish_savecast_needs_command" -a "reload" -d 'Have every open page of a server that is running loaded again'
complete -c savecast -n "__fish_savecast_needs_command" -a "publish" -d 'Publish an event to a channel of a server that is running'
complete -c savecast -n "__fish_savecast_using_subcommand trust" -l remove -d 'Have them believe these no longer'
complete -c savecast -n "__fish_savecast_using_subcommand trust" -s h -l help -d 'Print help'
complete -c savecast -n "__fish_savecast_using_subcommand status" -s p -l server -l port -d 'Which server: a port of this machine, or a URL [default: the port in PORT, or 3000]' -r
complete -c savecast -n "__fish_savecast_using_subcommand status" -l json -d 'Print the JSON of /_savecast/status'
complete -c savecast -n "__fish_savecast_using_subcommand status" -s h -l help -d 'Print help'
complete -c savecast -n "__fish_savecast_using_subcommand reload" -s p -l server -l port -d 'Which server: a port of this machine, or a URL [default: the port in PORT, or 3000]' -r
complete -c savecast -n "__fish_savecast_using_subcommand reload" -l token-file -d 'The file with the token, if the server was started with --publish-token-file' -r -F
complete -c savecast -n "__fish_savecast_using_subcommand reload" -s h -l help -d 'Print help'
complete -c savecast -n "__fish_savecast_using_subcommand publish" -l event -d 'The name of the event [default: message]' -r
complete -c savecast -n "__fish_savecast_using_subcommand publish" -s p -l server -l port -d 'Which server: a port of this machine, or a URL [default: the port in PORT, or 3000]' -r
complete -c savecast -n "__fish_savecast_using_subcommand publish" -l token-file -d 'The file with the token, if the server was started with --publish-token-file' -r -F
complete -c savecast -n "__fish_savecast_using_subcommand publish" -s h -l help -d 'Print help'
