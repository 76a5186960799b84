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

complete -c savecast -n "__fish_savecast_needs_command" -s p -l port -d 'Port to listen on; 0 for any free one [default: the environment variable PORT, or 3000, or the next free one]' -r
complete -c savecast -n "__fish_savecast_needs_command" -l host -d 'Address to listen on. Without ADDRESS, all addresses: everybody in your network can then read the directory' -r
complete -c savecast -n "__fish_savecast_needs_command" -l https -d 'Serve HTTPS and HTTP/2, with a certificate made for this machine, or with your own PEM files' -r -F
complete -c savecast -n "__fish_savecast_needs_command" -l allow-host -d 'Another host name that requests may use, such as that of a reverse proxy; repeatable' -r
complete -c savecast -n "__fish_savecast_needs_command" -l cors -d 'Let pages of these origins use files, streams and channels. Without ORIGIN, pages of all origins, but without credentials' -r
complete -c savecast -n "__fish_savecast_needs_command" -l poll -d 'Check the files in use every MS milliseconds (100 if you leave MS out), instead of relying on file system events' -r
complete -c savecast -n "__fish_savecast_needs_command" -l max-push -d 'Largest file whose contents are sent, in bytes or as 512K, 8M or 1G. Larger files are served, and reported as a problem' -r
complete -c savecast -n "__fish_savecast_needs_command" -s o -l open -d 'Open the browser, at PATH if you give one' -r
complete -c savecast -n "__fish_savecast_needs_command" -l mount -d 'Serve another directory at this path; repeatable' -r
complete -c savecast -n "__fish_savecast_needs_command" -l proxy -d 'Put savecast in front of another server, and make its pages live; with /PATH, only for that path. Without a path, the directory is watched, but not served. Repeatable' -r
complete -c savecast -n "__fish_savecast_needs_command" -l watch -d 'Directory with the sources of the proxied server, if it is not DIR; repeatable' -r -F
complete -c savecast -n "__fish_savecast_needs_command" -l proxy-ask -d 'Whether savecast may request again what open pages have loaded, to see what a save has changed. If off, a save reloads pages' -r -f -a "on\t'Yes'
off\t'No'"
complete -c savecast -n "__fish_savecast_needs_command" -l proxy-poll -d 'Also request streamed answers of the proxied server every MS milliseconds' -r
complete -c savecast -n "__fish_savecast_needs_command" -l relay -d 'Share channels with other instances through this Redis server, and publish the directory to edges. SAVECAST_RELAY_USER and SAVECAST_RELAY_PASSWORD in the environment are used if the URL has no user or password' -r
complete -c savecast -n "__fish_savecast_needs_command" -l publish-token-file -d 'Require the token in this file to publish to channels and to reload pages: "Authorization: Bearer TOKEN"' -r -F
complete -c savecast -n "__fish_savecast_needs_command" -l limit-requests -d 'How many requests one address may have open at once, streams included. More get 429' -r
complete -c savecast -n "__fish_savecast_needs_command" -l limit-bytes -d 'How many bytes one address may receive in a minute, as 512K, 8M or 1G. After that, its requests get 429' -r
complete -c savecast -n "__fish_savecast_needs_command" -l trust-proxy -d 'Trust the X-Forwarded-For header of this proxy when counting requests for an address; repeatable' -r
complete -c savecast -n "__fish_savecast_needs_command" -l drain -d 'On SIGTERM, accept no new streams, and close the open ones over this many seconds [default: 5 with --edge, 0 without]' -r
complete -c savecast -n "__fish_savecast_needs_command" -l relay-site -d 'Name of the site on the Redis server. Instances with the same name belong together' -r
complete -c savecast -n "__fish_savecast_needs_command" -l base -d 'Path at which a reverse proxy has put this server, such as /app/' -r
complete -c savecast -n "__fish_savecast_needs_command" -l ignore -d 'Files that never change or reload a page, such as \'*.map\' or \'drafts/**\'; repeatable' -r
complete -c savecast -n "__fish_savecast_needs_command" -l log -d 'Format of the messages on standard error: text, or one JSON object a line' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c savecast -n "__fish_savecast_needs_command" -l config -d 'Read options from this file instead of savecast.toml' -r -F
complete -c savecast -n "__fish_savecast_needs_command" -l no-open -d 'Don\'t open the browser, whatever savecast.toml says'
complete -c savecast -n "__fish_savecast_needs_command" -l spa -d 'For single-page apps: answer with /index.html where a page doesn\'t exist'
complete -c savecast -n "__fish_savecast_needs_command" -l proxy-insecure -d 'Accept any certificate of a proxied server'
complete -c savecast -n "__fish_savecast_needs_command" -l edge -d 'Serve what an instance with a directory publishes through --relay, instead of a directory'
complete -c savecast -n "__fish_savecast_needs_command" -l publish -d 'Let clients of this edge publish to channels, with the token of --publish-token-file'
complete -c savecast -n "__fish_savecast_needs_command" -l compress -d 'Also compress answers for browsers on this machine. For other machines, they always are'
complete -c savecast -n "__fish_savecast_needs_command" -l console -d 'Print everything that open pages write to their consoles, and not only their errors'
complete -c savecast -n "__fish_savecast_needs_command" -l no-console -d 'Print no errors of open pages'
complete -c savecast -n "__fish_savecast_needs_command" -l verbose -d 'Print a line for each request: status, method, path, size, time'
complete -c savecast -n "__fish_savecast_needs_command" -l quiet -d 'Print only the address and problems'
complete -c savecast -n "__fish_savecast_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c savecast -n "__fish_savecast_needs_command" -s V -l version -d 'Print version'
complete -c savecast -n "__fish_savecast_needs_command" -a "trust" -d 'Make this system, Chromium and Firefox trust the certificates that --https makes'
complete -c savecast -n "__fish_savecast_needs_command" -a "status" -d 'Show what a running server is doing: open pages, streams, problems'
complete -c savecast -n "__fish_savecast_needs_command" -a "reload" -d 'Reload every open page of a running server'
complete -c savecast -n "__fish_savecast_needs_command" -a "publish" -d 'Publish an event to a channel of a running server'
complete -c savecast -n "__fish_savecast_using_subcommand trust" -l remove -d 'Make them stop trusting these'
complete -c savecast -n "__fish_savecast_using_subcommand trust" -s h -l help -d 'Print help'
complete -c savecast -n "__fish_savecast_using_subcommand status" -s p -l server -l port -d 'Which server: a port of this machine, or a URL [default: the port in the environment variable PORT, or 3000]' -r
complete -c savecast -n "__fish_savecast_using_subcommand status" -l json -d 'Print the JSON of /_savecast/status'
complete -c savecast -n "__fish_savecast_using_subcommand status" -s h -l help -d 'Print help'
complete -c savecast -n "__fish_savecast_using_subcommand reload" -s p -l server -l port -d 'Which server: a port of this machine, or a URL [default: the port in the environment variable PORT, or 3000]' -r
complete -c savecast -n "__fish_savecast_using_subcommand reload" -l token-file -d 'The file with the token, if the server was started with --publish-token-file' -r -F
complete -c savecast -n "__fish_savecast_using_subcommand reload" -s h -l help -d 'Print help'
complete -c savecast -n "__fish_savecast_using_subcommand publish" -l event -d 'The name of the event [default: message]' -r
complete -c savecast -n "__fish_savecast_using_subcommand publish" -s p -l server -l port -d 'Which server: a port of this machine, or a URL [default: the port in the environment variable PORT, or 3000]' -r
complete -c savecast -n "__fish_savecast_using_subcommand publish" -l token-file -d 'The file with the token, if the server was started with --publish-token-file' -r -F
complete -c savecast -n "__fish_savecast_using_subcommand publish" -s h -l help -d 'Print help (see more with \'--help\')'
